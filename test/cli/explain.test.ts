import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { freshRow } from '../../src/boots/boot-row.ts';
import { openBootStore } from '../../src/boots/open-boot-store.ts';
import { explain, type ExplainOptions } from '../../src/cli/explain.ts';
import type { Account } from '../../src/dhcp/account.ts';
import { SqliteLeaseStore } from '../../src/leases/lease-store.ts';
import type { StoredImage } from '../../src/plan/stored-image.ts';
import { systemClock } from '../../src/system/clock.ts';
import { decodeDhcp, type DhcpPacket } from '../../src/wire/dhcp/packet.ts';
import { ip, rackA1 } from '../plan/rack-a1.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-explain-'));
after(() => rmSync(directory, { recursive: true }));

const NODE = '52:54:00:00:00:01';
const STRANGER = '52:54:00:00:00:09';
const SUBNET = `
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp+dns
    dynamic: 192.168.127.121-192.168.127.140
`;
const REST = `  - { cidr: 10.9.0.0/16, management: dhcp, dynamic: 10.9.1.1-10.9.1.9 }
hosts: [{ name: node1, mac: "${NODE}", address: 192.168.127.50, boot: debian }]
classes: [{ name: row-7, match: { circuit-id: port-7 } }]
boot: { entries: { debian: { kernel: debian/vmlinuz } } }
`;

function imageFor(arch: string, sha256: string): StoredImage {
  const files = [{ name: 'boot-kernel', ftype: 'boot-kernel', sha256, size: 1 }];
  const kernel = { subarch: 'generic', subarches: ['generic'], kflavor: 'generic' };
  return { os: 'ubuntu', release: 'noble', arch, ...kernel, label: 'stable', version: '1', files };
}

function configIn(state: string, subnets = SUBNET): string {
  const file = join(directory, `${state}.yaml`);
  writeFileSync(file, `rack: { name: rack-a1, state: ${join(directory, state)} }\nsubnets:${subnets}${REST}`);
  return file;
}

function run(
  words: Partial<ExplainOptions>,
  config = configIn('none'),
  surroundings = rackA1,
): { code: number; lines: string[] } {
  const lines: string[] = [];
  const ground = { surroundings, clock: systemClock };
  return { code: explain({ json: false, config, ...words }, (line) => lines.push(line), ground), lines };
}

function told(words: Partial<ExplainOptions>, config?: string): Account {
  return JSON.parse(run({ json: true, ...words }, config).lines.join('\n')) as Account;
}

test('what a machine would get is told in a line, then step by step', () => {
  const { code, lines } = run({ mac: NODE, arch: '7' });
  assert.equal(code, 0);
  assert.equal(lines[0], `${NODE}, discover: OFFER of 192.168.127.50`);
  const steps = lines.filter((line) => !/^(?:quirk|file) /.test(line));
  const labels = steps.flatMap((line) => /^[a-z]+( plan)?(?= {2})|^boot plan/.exec(line)?.[0] ?? []);
  assert.deepEqual(labels, ['subnet', 'machine', 'classes', 'address', 'name', 'boot', 'boot plan', 'reply', 'script']);
  const quirks = lines.flatMap((line) => /^quirk {5}([a-z-]+): /.exec(line)?.[1] ?? []);
  assert.deepEqual(quirks, ['boot-file-nul', 'boot-file-in-header', 'pxe-direct', 'machine-id-echo']);
  assert.ok(
    lines.some((line) => /^ +67 boot-file-name +snponly\.efi +the boot offer$/.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.includes('  # host node1 boots the boot entry "debian"'));
});

test('what TFTP and HTTP say to each file of its boot stands there, and what is missing is named', () => {
  const files = join(directory, 'served');
  mkdirSync(join(files, 'debian'), { recursive: true });
  writeFileSync(join(files, 'debian', 'vmlinuz'), 'kernel');
  const config = join(directory, 'served.yaml');
  const boot = `boot: { files: ${files}, entries: { debian: { kernel: debian/vmlinuz, initrd: debian/initrd } } }`;
  writeFileSync(config, readFileSync(configIn('none'), 'utf8').replace(/^boot: .*$/m, boot));
  const { lines } = run({ mac: NODE, arch: '7', fetch: ['../x', 'grub/grub.cfg'] }, config);
  const found = lines.flatMap((line) => /^file {6}(.*)$/.exec(line)?.[1] ?? []);
  assert.match(found[0] ?? '', /^loader snponly\.efi: (MISSING .*|\/usr\/lib\/ipxe\/snponly.efi, \d+ bytes)/);
  assert.match(found[1] ?? '', /^script \/ipxe\/52-54-00-00-00-01: a script, \d+ bytes$/);
  assert.equal(found[2], `kernel debian/vmlinuz: ${files}/debian/vmlinuz, 6 bytes`);
  const absent = `${files}/debian/initrd: no such file`;
  assert.equal(found[3], `initrd debian/initrd: MISSING (TFTP error 1, HTTP 404): ${absent}`);
  assert.match(found[4] ?? '', /^\.\.\/x: MISSING .*climbs out/);
  assert.match(found[5] ?? '', /^grub\/grub\.cfg: a script, /);
  assert.equal(found.length, 6);
});

test('a device tree of its entry is named with what the loader makes of it', () => {
  const config = join(directory, 'tree.yaml');
  const boot = 'boot: { entries: { debian: { kernel: debian/vmlinuz, dtb: debian/board.dtb } } }';
  writeFileSync(config, readFileSync(configIn('none'), 'utf8').replace(/^boot: .*$/m, boot));
  const { lines } = run({ mac: NODE, arch: '7' }, config, { ...rackA1, fileExists: () => true });
  const trees = lines.filter((line) => /^file {6}dtb /.test(line));
  assert.equal(trees.length, 1);
  assert.match(trees[0] ?? '', /^file {6}dtb debian\/board\.dtb: .*; only an iPXE with the command fdt takes it, /);
});

test('a machine is told the files of an image that are for its architecture', () => {
  const config = join(directory, 'arches.yaml');
  const boot = 'boot: { entries: { debian: { image: ubuntu/noble } } }';
  writeFileSync(config, readFileSync(configIn('none'), 'utf8').replace(/^boot: .*$/m, boot));
  const kernels: Record<string, string> = { amd64: 'a', arm64: 'b', armhf: 'c', ppc64el: 'e' };
  const images = Object.entries(kernels).map(([arch, letter]) => imageFor(arch, letter.repeat(64)));
  const surroundings = { ...rackA1, fileExists: () => true, images: () => images };
  const kernelFor = (arch: number): string | undefined => {
    const { lines } = run({ mac: NODE, arch: String(arch), json: true }, config, surroundings);
    const { files = [] } = JSON.parse(lines.join('\n')) as Account;
    return files.find(({ as }) => as === 'kernel')?.path.charAt('images/'.length);
  };
  assert.deepEqual([7, 0x0b, 0x15, 0x16, 0x0c, 0x0e].map(kernelFor), ['a', 'b', 'c', 'b', 'e', 'e']);
});

test('what does not netboot asks for no file, unless it is said to', () => {
  assert.deepEqual(told({ mac: NODE }).files, []);
  assert.deepEqual(
    told({ mac: NODE, fetch: ['boot.ipxe'] }).files?.map(({ path, is }) => [path, is.kind]),
    [['boot.ipxe', 'text']],
  );
});

test('where a subnet has names, what DNS then answers is told', () => {
  const named = SUBNET.replace('dhcp+dns', 'dhcp+dns\n    domain: rack.example');
  assert.deepEqual(told({ mac: NODE }, configIn('named', named)).dns, {
    name: 'node1.rack.example',
    reverse: '50.127.168.192.in-addr.arpa',
  });
  assert.equal(told({ mac: STRANGER }, configIn('named', named)).dns, undefined);
  assert.equal(told({ mac: NODE }).dns, undefined);
});

function packetOf(words: Partial<ExplainOptions>): DhcpPacket {
  const { packet } = told({ mac: NODE, ...words }) as Account & { packet: string };
  return decodeDhcp(Buffer.from(packet, 'hex'));
}

test('any option can be given by number or name, as text or bytes, and goes before what else is said', () => {
  const { options } = packetOf({ arch: '7', option: ['93=0x0000', 'user-class=iPXE', '250=01:ff', '12=a=b'] });
  const found = [93, 77, 250, 12].map((code) => Buffer.from(options.get(code) ?? []).toString('latin1'));
  assert.deepEqual(found, ['\0\0', 'iPXE', '\x01\xff', 'a=b']);
  const uuid = packetOf({ uuid: '00112233-4455-6677-8899-aabbccddeeff' }).options.get(97);
  assert.equal(Buffer.from(uuid ?? []).toString('hex'), '0033221100554477668899aabbccddeeff');
});

test('the same as data, without a line about anything else', () => {
  const account = told({ mac: NODE });
  assert.equal(account.gets, true);
  assert.deepEqual(account.bootPlan, { target: 'debian', why: 'host node1 boots the boot entry "debian"' });
});

test('where nothing would be answered the exit code is 1 and the reason stands in the first line', () => {
  const { code, lines } = run({ mac: STRANGER, relay: '10.77.0.1' });
  assert.equal(code, 1);
  assert.deepEqual(lines, [`${STRANGER}, its message: nothing: relay 10.77.0.1 speaks for no subnet of this rack`]);
  const nak = run({ mac: STRANGER, message: 'request', requested: '10.1.1.1' });
  assert.equal(nak.code, 1);
  assert.match(nak.lines[0] ?? '', /request: NAK: 10\.1\.1\.1 is not on this network/);
});

test('the words make the packet that such a machine sends', () => {
  const behind = { mac: STRANGER, relay: '10.9.0.1', 'circuit-id': 'port-7', 'remote-id': '00:0a' };
  assert.deepEqual(told(behind).classes, ['row-7']);
  assert.equal(told(behind).subnet?.cidr, '10.9.0.0/16');
  assert.equal(told({ ...behind, 'link-selection': '192.168.127.0' }).subnet?.cidr, '192.168.127.0/24');
  assert.equal(told({ mac: STRANGER, requested: '192.168.127.130' }).address?.address, '192.168.127.130');
  assert.equal(told({ mac: STRANGER, name: 'Web 1' }).name?.name, 'web-1');
  assert.equal(told({ mac: STRANGER, arch: '0' }).boot?.file, 'undionly.kpxe');
  assert.match(told({ mac: STRANGER, ipxe: 'full' }).boot?.file ?? '', /^http:.*boot\.ipxe$/);
  assert.equal(told({ mac: STRANGER, arch: '7', ipxe: 'stripped' }).boot?.file, 'snponly.efi');
  assert.match(told({ mac: STRANGER, arch: '16' }).boot?.file ?? '', /^http:.*\/snponly\.efi$/);
  assert.equal(told({ mac: STRANGER, arch: '39' }).boot?.file, undefined);
  assert.equal(told({ mac: STRANGER, message: 'inform', requested: '192.168.127.9' }).answer, 'ACK of options');
  assert.match(told({ mac: NODE, message: 'bootp' }).answer, /^BOOTP reply of 192\.168\.127\.50/);
  const asked = told({ mac: STRANGER, ask: 'routers, 12, domain-search', broadcast: true }).reply;
  assert.equal(asked?.to, '255.255.255.255');
  assert.deepEqual(
    asked.options.map(({ code }) => code),
    [53, 54, 51, 1],
  );
});

test('a machine that has an address can be asked about with all that it may say of it', () => {
  const config = configIn('held');
  const mac = parseMac(NODE);
  assert.ok(mac !== undefined);
  mkdirSync(join(directory, 'held'));
  const store = new SqliteLeaseStore(join(directory, 'held', 'leases.db'));
  const expires = Math.floor(Date.now() / 1000) + 1000;
  store.write([{ address: ip('192.168.127.50'), client: mac, mac, expires, kept: false }]);
  store.close();
  const say = (message: string, requested = '192.168.127.50'): Account =>
    told({ mac: NODE, message, requested }, config);
  assert.deepEqual(
    ['renew', 'rebind', 'request', 'decline', 'release'].map((message) => say(message).answer),
    [
      'ACK of 192.168.127.50',
      'ACK of 192.168.127.50',
      'ACK of 192.168.127.50',
      'nothing: 192.168.127.50 is taken back without a reply',
      'nothing: 192.168.127.50 is taken back without a reply',
    ],
  );
  assert.deepEqual(
    ['renew', 'rebind'].map((message) => say(message).subnet?.why),
    ['it writes to the rack alone, from 192.168.127.50 in it', 'it is on eth0, where this was heard'],
  );
  assert.match(say('renew', '10.9.1.5').answer, /^NAK|^nothing: we have no record/);
  const reply = say('renew').reply;
  assert.deepEqual([reply?.to, reply?.why], ['192.168.127.50', 'to the address it has']);
});

test('a message that no client sends is told as what it is', () => {
  assert.equal(
    told({ mac: NODE, option: ['53=0x02'] }).answer,
    'nothing: expected a message of a DHCP client, found OFFER',
  );
});

const UNFIT: readonly (readonly [Partial<ExplainOptions>, string])[] = [
  [{}, '--mac: expected a MAC address like 52:54:00:12:34:56, found none'],
  [{ mac: '52:54' }, '--mac: expected a MAC address like 52:54:00:12:34:56, found "52:54"'],
  [{ mac: NODE, arch: 'x64' }, '--arch: expected a number from 0 to 65535, like 7, found "x64"'],
  [{ mac: NODE, relay: 'eth0' }, '--relay: expected an address like 192.168.127.254, found "eth0"'],
  [
    { mac: NODE, message: 'offer' },
    '--message: expected one of discover, request, renew, rebind, inform, decline, release, bootp, found "offer"',
  ],
  [{ mac: NODE, message: 'request' }, '--requested: expected the address that its REQUEST is about, found none'],
  [{ mac: NODE, ipxe: 'yes' }, '--ipxe: expected full or stripped, found "yes"'],
  [
    { mac: NODE, ask: '1,router' },
    '--ask: expected DHCP options by name or number with commas between, like 1,3,domain-search, found "1,router"',
  ],
  [
    { mac: NODE, option: ['no-such=1'] },
    '--option: expected a DHCP option by number or name and its bytes, like 93=0x0007 or user-class=iPXE, found "no-such=1"',
  ],
  [
    { mac: NODE, option: ['93'] },
    '--option: expected a DHCP option by number or name and its bytes, like 93=0x0007 or user-class=iPXE, found "93"',
  ],
  [
    { mac: NODE, option: Array.from({ length: 8 }, (_, n) => `${224 + n}=0x${'00'.repeat(200)}`) },
    '--option: expected what one packet of 1472 bytes holds, found more',
  ],
  [{ mac: NODE, uuid: '4c4c' }, '--uuid: expected a UUID like 4c4c4544-0042-3510-8052-b4c04f395931, found "4c4c"'],
  [{ mac: NODE, interface: 'eth7' }, '--interface: expected one that DHCP is served on (eth0, eth1), found "eth7"'],
];

describe('wrong usage is', () => {
  for (const [words, sentence] of UNFIT) {
    test(sentence, () => assert.deepEqual(run(words), { code: 2, lines: [sentence] }));
  }

  test('not to say where, on a rack with two interfaces', () => {
    const two = `${SUBNET}  - { cidr: 10.1.0.0/16, interface: eth1, management: dhcp, dynamic: 10.1.1.1-10.1.1.9 }\n`;
    const config = configIn('two', two);
    assert.deepEqual(run({ mac: NODE }, config), {
      code: 2,
      lines: ['--interface: expected one of eth0, eth1, or --relay, found none'],
    });
    assert.equal(told({ mac: STRANGER, interface: 'eth1' }, config).address?.address, '10.1.1.1');
    assert.equal(told({ mac: STRANGER, relay: '10.1.0.7' }, config).address?.address, '10.1.1.1');
  });
});

test('a proxy subnet in the file changes nothing for the other subnets, and machines there hear what to boot', () => {
  const proxied = '  - { cidr: 10.7.0.0/16, management: proxy }\n';
  const relayed = configIn('relayed-proxy', SUBNET + proxied);
  assert.equal(told({ mac: NODE }, relayed).answer, 'OFFER of 192.168.127.50');
  assert.equal(told({ mac: STRANGER, relay: '10.9.0.1' }, relayed).answer, 'OFFER of 10.9.1.1');
  const boots = "OFFER of what to boot; the address is another server's to give";
  assert.equal(told({ mac: STRANGER, relay: '10.7.0.1', arch: '0' }, relayed).answer, boots);
  const local = configIn('local-proxy', '\n  - { cidr: 192.168.127.0/24, interface: eth0, management: proxy }\n');
  assert.equal(told({ mac: STRANGER, arch: '7' }, local).answer, boots);
});

test('a file with faults is shown like `rackboot check` shows it', () => {
  const config = configIn('faulty', SUBNET.replace('dhcp+dns', 'dchp'));
  const { code, lines } = run({ mac: NODE }, config);
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /subnets\[0\]\.management: expected one of/);
});

test('the leases on disk count, and no byte beside them changes', () => {
  const config = configIn('state');
  const state = join(directory, 'state');
  mkdirSync(state);
  const store = new SqliteLeaseStore(join(state, 'leases.db'));
  const expires = Math.floor(Date.now() / 1000) + 600;
  const mac = parseMac(STRANGER) ?? (0 as Mac);
  store.write([{ address: ip('192.168.127.133'), client: STRANGER, mac, expires, kept: false }]);
  const before = picture(state);
  const { address } = told({ mac: STRANGER }, config);
  assert.equal(address?.address, '192.168.127.133');
  assert.match(address.why, /^it holds this address/);
  assert.equal(
    told({ mac: '52:54:00:00:00:0a', requested: '192.168.127.133' }, config).address?.address,
    '192.168.127.121',
  );
  assert.deepEqual(picture(state), before);
  store.close();
});

test('a rack that never ran has no leases, and still has no state', () => {
  assert.equal(told({ mac: STRANGER }, configIn('never')).address?.address, '192.168.127.121');
  assert.equal(readdirSync(directory).includes('never'), false);
});

function picture(state: string): string[] {
  return readdirSync(state).map((name) => {
    const file = join(state, name);
    return `${name} ${statSync(file).mtimeMs} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  });
}

test('a machine that has had its entry is told so, out of the file of a daemon', () => {
  const config = configIn('booted');
  const mac = parseMac(NODE) as Mac;
  const { store } = openBootStore(join(directory, 'booted', 'boots.db'), 0);
  const row = {
    ...freshRow({ mac, entry: 'debian' }),
    state: { kind: 'held', boots: 8, withinSeconds: 60, since: 0 } as const,
  };
  store.write({ rows: [[row, row]], lostSince: undefined });
  const { bootPlan, script } = told({ mac: NODE, arch: '7' }, config);
  store.close();
  assert.equal(bootPlan?.target, 'local');
  assert.match(bootPlan.why, /8 times within 1 min/);
  assert.match(script?.text ?? '', /8 times within 1 min/);
});

test('what the region said last is in what is told, and that it is; --no-region leaves it out', () => {
  const state = join(directory, 'followed');
  mkdirSync(state);
  const config = join(directory, 'followed.yaml');
  writeFileSync(config, `rack: { name: rack-a1, state: ${state} }\nregion: { url: 'https://region.example' }\n`);
  const subnet = { cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.121-192.168.127.140' };
  const hosts = [{ name: 'node1', mac: NODE, address: '192.168.127.50' }];
  const answer = { version: 7, config: { subnets: [subnet], hosts }, orders: {} };
  writeFileSync(join(state, 'region-plan.json'), JSON.stringify(answer));
  const { code, lines } = run({ mac: NODE }, config);
  assert.equal(code, 0);
  assert.deepEqual(lines.slice(0, 2), [
    'NOTE with region plan 7, as it was last taken: --no-region leaves it out',
    `${NODE}, discover: OFFER of 192.168.127.50`,
  ]);
  assert.deepEqual(run({ mac: NODE, 'no-region': true }, config), {
    code: 2,
    lines: ['expected a file that serves DHCP on a subnet, found none that does on this machine'],
  });
});
