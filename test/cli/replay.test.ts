import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { replay } from '../../src/cli/replay.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DISCOVER, letters, writePacket } from '../dhcp/naive-packet.ts';
import { rackA1 } from '../plan/rack-a1.ts';
import { ethernet, pcap, pcapng, udpPacket } from '../wire/capture-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-replay-'));
after(() => rmSync(directory, { recursive: true }));
const config = join(directory, 'rackboot.yaml');
const RANGE = 'dynamic: 192.168.127.111-192.168.127.140';
writeFileSync(
  config,
  `rack: { name: rack-a1, state: ${directory}/none }
subnets: [{ cidr: 192.168.127.0/24, interface: eth0, management: dhcp, ${RANGE}, lease: 1h }]
hosts: [{ name: node1, mac: "52:54:00:00:00:01", address: 192.168.127.50 }]
`,
);
const file = join(directory, 'capture');

function run(capture: Uint8Array, json = false, device?: string): { code: number; lines: string[] } {
  writeFileSync(file, capture);
  const lines: string[] = [];
  const ground = { surroundings: rackA1, clock: systemClock };
  return { code: replay({ config, json, interface: device }, file, (line) => lines.push(line), ground), lines };
}

const QUESTION = ethernet(udpPacket(writePacket({ type: DISCOVER })));
const REPLY = ethernet(
  udpPacket(writePacket({ type: 2, op: 2, options: [[51, [0, 0, 0, 60]]] }), '10.0.0.9', '255.255.255.255', 68),
);

test('a capture is told question by question, with what it holds and what we say, and summed up', () => {
  const { code, lines } = run(pcapng([QUESTION, REPLY, QUESTION]));
  assert.equal(code, 1);
  assert.match(
    lines[0] ?? '',
    /^ {5}1 {2}52:54:00:00:00:01, discover: OFFER of 192\.168\.127\.50; packet 2 of 10\.0\.0\.9 differs: OFFER$/,
  );
  assert.ok(lines.includes('          yiaddr                192.168.127.50  |  0.0.0.0'), lines.join('\n'));
  assert.ok(lines.includes('          51 lease-time         3600 s  |  60 s'), lines.join('\n'));
  assert.match(lines.at(-2) ?? '', /^ {5}3 {2}.*; the capture has no answer$/);
  assert.equal(lines.at(-1), '2 questions: 1 different, 1 answered only here');
});

test('as JSON each question is a line, with our reply as hex', () => {
  const { lines } = run(pcap([QUESTION]), true);
  const told = JSON.parse(lines[0] ?? '') as { number: number; verdict: string; bytes: string };
  assert.deepEqual([told.number, told.verdict, lines.length], [1, 'only here', 1]);
  assert.match(told.bytes, /^0201/);
});

test('what the capture cut short is no question, and is told', () => {
  const whole = udpPacket(writePacket({ type: DISCOVER, options: [[60, letters('PXEClient')]] }));
  const cut = pcap([whole.subarray(0, 28 + 240 + 3), whole.subarray(0, -1), whole.subarray(0, 10)], 101);
  const note = 'NOTE 2 of its packets are cut short and left out: `tcpdump -s 0` keeps all of them';
  assert.deepEqual(run(cut), { code: 0, lines: [note, 'no DHCP question and no TFTP request in this capture'] });
});

test('a FIFO is refused, and not waited for', () => {
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const ground = { surroundings: rackA1, clock: systemClock };
  assert.throws(() => replay({ config, json: false }, fifo, () => {}, ground), /fifo: expected a file, found a pipe/);
});

test('a capture without a question says so, and is no failure', () => {
  assert.deepEqual(run(pcap([])), { code: 0, lines: ['no DHCP question and no TFTP request in this capture'] });
});

test('what is no capture, or not there, is refused in one line', () => {
  assert.throws(() => run(new Uint8Array(50)), {
    name: 'RefusedError',
    message: `${file}: expected a capture as pcap or pcapng, found something else`,
  });
});

test('an interface that is none of ours is wrong usage', () => {
  const { code, lines } = run(pcap([QUESTION]), false, 'eth7');
  assert.equal(code, 2);
  assert.deepEqual(lines, ['--interface: expected one that DHCP is served on (eth0), found "eth7"']);
});
