import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { explain, type ExplainOptions } from '../../src/cli/explain.ts';
import type { Account } from '../../src/dhcp/account.ts';
import { systemClock } from '../../src/system/clock.ts';
import { rackA1 } from '../plan/rack-a1.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-explain-words-'));
after(() => rmSync(directory, { recursive: true }));
const config = join(directory, 'rackboot.yaml');
writeFileSync(
  config,
  `rack: { name: rack-a1, state: ${directory}/none }
subnets:
  - { cidr: 192.168.127.0/24, interface: eth0, management: dhcp, dynamic: 192.168.127.111-192.168.127.140 }
  - { cidr: 10.7.0.0/16, management: proxy }
classes: [{ name: deaf, match: { vendor-class: deaf }, quirks: { broadcast-reply: on } }]
options: { boot-file-name: start.elf, interface-mtu: { hex: "010203" }, default-ip-ttl: { hex: "40" } }
`,
);

const PI = 'dc:a6:32:00:00:01';
const MAC = '52:54:00:00:00:01';

function told(words: Partial<ExplainOptions>): Account {
  const lines: string[] = [];
  const ground = { surroundings: rackA1, clock: systemClock };
  explain({ config, json: true, ...words }, (line) => lines.push(line), ground);
  return JSON.parse(lines.join('\n')) as Account;
}

function option(account: Account, wanted: number): string | undefined {
  const found = account.reply?.options.find(({ code }) => code === wanted);
  return found && `${found.value}, ${found.from}`;
}

function quirk(account: Account, wanted: string): string {
  return account.quirks?.find(({ name }) => name === wanted)?.sentence ?? '';
}

test('a reply that is broadcast by the file’s word is not said to be asked for', () => {
  const deaf = { mac: MAC, 'vendor-class': 'deaf' };
  assert.equal(told(deaf).reply?.why, 'broadcast: the file wants so (quirk broadcast-reply)');
  assert.equal(told({ ...deaf, broadcast: true }).reply?.why, 'broadcast: it asks for that');
});

test('a boot file that the rack’s own offer does not name is of the layer that sets it', () => {
  assert.equal(option(told({ mac: PI, arch: '0' }), 67), 'start.elf, all clients');
});

test('bytes that are not what their option says are shown as bytes', () => {
  assert.equal(option(told({ mac: MAC }), 26), '01:02:03, all clients');
  assert.equal(option(told({ mac: MAC }), 23), '64, all clients');
});

test('a quirk whose option 43 gives way to another’s, or to a proxy’s silence, says so', () => {
  const away = /; not in this reply \(/;
  assert.match(quirk(told({ mac: PI, arch: '0' }), 'pxe-direct'), away);
  assert.doesNotMatch(quirk(told({ mac: PI, arch: '0' }), 'raspberry-pi'), away);
  assert.match(quirk(told({ mac: MAC, arch: '7', relay: '10.7.0.1' }), 'pxe-direct'), away);
  assert.doesNotMatch(quirk(told({ mac: MAC, arch: '0', relay: '10.7.0.1' }), 'pxe-direct'), away);
  assert.doesNotMatch(quirk(told({ mac: MAC, arch: '7' }), 'pxe-direct'), away);
});

test('firmware of every architecture that boots by HTTP says so in its vendor class', () => {
  assert.match(quirk(told({ mac: MAC, arch: '24' }), 'uefi-http-boot'), /HTTPClient/);
  assert.equal(quirk(told({ mac: MAC, arch: '24' }), 'pxe-direct'), '');
});

test('boot.default is not said to decide while a host of the file can not be recognised', () => {
  const file = join(directory, 'unrecognisable.yaml');
  const hosts = 'hosts: [{ name: bad, mac: "52:54:00:00:00:0z" }]';
  const boot = 'boot: { default: deb, entries: { deb: { kernel: debian/vmlinuz } } }';
  writeFileSync(file, `${readFileSync(config, 'utf8')}${hosts}\n${boot}\n`);
  assert.deepEqual(told({ mac: MAC, config: file }).bootPlan, {
    target: 'local',
    why: "no host has this MAC, but one of the file can't be recognised, so an unknown machine boots its own disk",
  });
});

test('words about one machine are not passed over beside a capture', () => {
  const lines: string[] = [];
  const ground = { surroundings: rackA1, clock: systemClock };
  const words = { config, json: false, pcap: '/nowhere', mac: MAC, broadcast: true };
  assert.equal(
    explain(words, (line) => lines.push(line), ground),
    2,
  );
  assert.deepEqual(lines, ['--pcap: expected nothing of what a machine says beside it, found --mac, --broadcast']);
});
