import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { explain } from '../../src/cli/explain.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DISCOVER, writePacket } from '../dhcp/naive-packet.ts';
import { readHexFixture } from '../fixtures/hex.ts';
import { rackA1 } from '../plan/rack-a1.ts';
import { ethernet, pcap, udpPacket } from '../wire/capture-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-capture-'));
after(() => rmSync(directory, { recursive: true }));
const config = join(directory, 'rackboot.yaml');
writeFileSync(
  config,
  `rack: { name: rack-a1, state: ${directory}/none }
subnets:
  - { cidr: 192.168.127.0/24, interface: eth0, management: dhcp, dynamic: 192.168.127.111-192.168.127.140 }
  - { cidr: 10.0.7.0/24, management: dhcp }
`,
);

function replay(packets: readonly Uint8Array[], json = false): { code: number; lines: string[] } {
  const file = join(directory, 'capture.pcap');
  writeFileSync(file, pcap(packets.map((packet) => ethernet(udpPacket(packet)))));
  const lines: string[] = [];
  const ground = { surroundings: rackA1, clock: systemClock };
  return { code: explain({ config, json, pcap: file }, (line) => lines.push(line), ground), lines };
}

const OVMF = readHexFixture('dhcp/ovmf-pxe-discover');

test('each machine that asks in a capture is told in a line, however often it asks', () => {
  const again = OVMF.slice();
  again[7] = (again[7] ?? 0) ^ 1;
  const { code, lines } = replay([readHexFixture('dhcp/dhclient-request'), OVMF, again, Uint8Array.of(1, 2)]);
  assert.equal(code, 0);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^ {4}2 {2}52:54:.*, discover: OFFER of 192\.168\.127\.\d+, boots snponly\.efi \(/);
});

test('the exit code is 1 when one of them would get nothing', () => {
  const behind = writePacket({ type: DISCOVER, giaddr: '10.0.7.1' });
  const { code, lines } = replay([OVMF, behind]);
  assert.equal(code, 1);
  assert.match(lines[1] ?? '', /nothing: this subnet has no range for a machine like this$/);
  const { answers } = JSON.parse(replay([OVMF, behind], true).lines[0] ?? '') as { answers: { gets: boolean }[] };
  assert.deepEqual(
    answers.map(({ gets }) => gets),
    [true, false],
  );
});

test('a capture in which nobody asks says so', () => {
  assert.deepEqual(replay([]), { code: 1, lines: ['no DISCOVER and no BOOTP request in this capture'] });
});

test('a file that is no capture is refused in one line', () => {
  const ground = { surroundings: rackA1, clock: systemClock };
  assert.throws(() => explain({ config, json: false, pcap: config }, () => {}, ground), {
    name: 'RefusedError',
    message: `${config}: expected a capture as pcap or pcapng, found something else`,
  });
});
