import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { NO_BOOT_STATES } from '../../src/boot/boot-states.ts';
import { Replayer, type Replayed, type ReplayStage } from '../../src/cli/replayer.ts';
import type { CapturedDatagram } from '../../src/wire/pcap.ts';
import { encodeError, encodeOack, encodeRequest } from '../../src/wire/tftp/packet.ts';
import { DhcpRack } from '../dhcp/dhcp-rack.ts';
import { Machine } from '../dhcp/machine.ts';
import { DISCOVER, letters, writePacket } from '../dhcp/naive-packet.ts';
import { RACK, testPlan } from '../dhcp/test-plan.ts';
import { fuzz } from '../wire/fuzz.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-replay-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'loader'), 'twelve bytes');

function ip(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined);
  return address;
}

interface Way {
  readonly from: string;
  readonly port: number;
  readonly to: string;
  readonly toPort: number;
}

const TO_RACK: Way = { from: '0.0.0.0', port: 68, to: '255.255.255.255', toPort: 67 };
const TO_CLIENT: Way = { from: RACK, port: 67, to: '255.255.255.255', toPort: 68 };

/** A capture that grows. */
class Tape {
  readonly datagrams: CapturedDatagram[] = [];
  seconds = 0;

  add(bytes: Uint8Array, { from, port, to, toPort }: Way): void {
    this.datagrams.push({
      number: this.datagrams.length + 1,
      at: 1_700_000_000_000 + this.seconds * 1000,
      source: ip(from),
      sourcePort: port,
      destination: ip(to),
      port: toPort,
      bytes,
      isCut: false,
    });
  }

  /** What this rack hears and says from now on is on the tape. */
  record(rack: DhcpRack): void {
    const ask = rack.ask.bind(rack);
    rack.ask = (packet, to = '255.255.255.255') => {
      const isRelayed = packet[24] !== 0;
      this.add(packet, { ...TO_RACK, to, ...(isRelayed && { from: packet.subarray(24, 28).join('.'), port: 67 }) });
      const answer = ask(packet, to === '255.255.255.255' ? undefined : to);
      if (answer) this.add(answer.bytes, { ...TO_CLIENT, to: answer.to, toPort: answer.port });
      return answer;
    };
  }
}

const BARE = testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.140' }] });
const PLAN = { ...BARE, boot: { ...BARE.boot, files: directory } };

function replayed(tape: Tape, stage: Partial<ReplayStage> = {}): Replayed[] {
  const told: Replayed[] = [];
  const replayer = new Replayer(
    { plan: PLAN, leases: { leases: [] }, boots: NO_BOOT_STATES, now: 1_800_000_000_000, ...stage },
    (each) => told.push(each),
  );
  for (const datagram of tape.datagrams) replayer.take(datagram);
  replayer.end();
  return told;
}

function verdicts(told: readonly Replayed[]): string[] {
  return told.map(({ asked, verdict }) => `${asked} ${verdict}`);
}

const BOOT_ROM = {
  options: [
    [60, letters('PXEClient:Arch:00007:UNDI:003016')],
    [93, [0, 7]],
    [55, [1, 3, 6, 67]],
  ],
} as const;

test('what our service answered is what the replay of it answers, byte by byte, each step on the leases of those before', () => {
  const rack = new DhcpRack(PLAN);
  const tape = new Tape();
  tape.record(rack);
  const [first, second] = [new Machine(rack, 1), new Machine(rack, 2)];
  const address = first.boot(BOOT_ROM);
  second.boot({ ...BOOT_ROM, broadcast: true, name: 'web' });
  first.renew(address);
  first.reboot(address);
  second.reboot('10.1.1.1');
  first.release(address);
  new Machine(rack, 3).discover({ wants: '192.168.127.130' });
  const told = replayed(tape);
  assert.deepEqual(
    told.map(({ differences }) => differences).filter((each) => each.length > 0),
    [],
  );
  assert.deepEqual(verdicts(told), [
    'discover same',
    'request same',
    'discover same',
    'request same',
    'request same',
    'request same',
    'request same',
    'release neither',
    'discover same',
  ]);
});

test('leases run out by the time of the capture, not by that of the replay', () => {
  const plan = testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111', lease: 60 }] });
  const rack = new DhcpRack(plan);
  const tape = new Tape();
  tape.record(rack);
  new Machine(rack, 1).boot();
  new Machine(rack, 2).discover();
  rack.time.pass(100);
  tape.seconds = 100;
  new Machine(rack, 2).discover();
  assert.deepEqual(verdicts(replayed(tape, { plan })), [
    'discover same',
    'request same',
    'discover neither',
    'discover same',
  ]);
});

test('a capture of another server is told option by option', () => {
  const tape = new Tape();
  const other = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.150-192.168.127.160', router: null }] }));
  tape.record(other);
  new Machine(other, 1).discover({ options: [[55, [1, 3]]] });
  const [told] = replayed(tape);
  assert.equal(told?.verdict, 'different');
  assert.deepEqual(told.theirs, { number: 2, from: RACK, answer: 'OFFER of 192.168.127.150' });
  assert.deepEqual(
    told.differences.map(({ what }) => what),
    ['yiaddr', '3 routers'],
  );
  assert.deepEqual(told.differences[0], { what: 'yiaddr', ours: '192.168.127.111', theirs: '192.168.127.150' });
  assert.equal(told.differences[1]?.theirs, undefined);
});

test('who is answered only here, only there, or by nobody is told so', () => {
  const tape = new Tape();
  const question = writePacket({ type: DISCOVER });
  tape.add(question, TO_RACK);
  const foreign = writePacket({ type: DISCOVER, giaddr: '10.99.0.1', mac: '52:54:00:00:00:02' });
  tape.add(foreign, { ...TO_RACK, from: '10.99.0.1', port: 67 });
  const offer = writePacket({ type: 2, op: 2, mac: '52:54:00:00:00:02', options: [[12, [27, 91, 65]]] });
  tape.add(offer, { ...TO_CLIENT, from: '10.0.0.9', to: '10.99.0.1', toPort: 67 });
  tape.add(writePacket({ type: DISCOVER, giaddr: '10.99.0.1', mac: '52:54:00:00:00:03' }), TO_RACK);
  const told = replayed(tape);
  assert.deepEqual(verdicts(told), ['discover only here', 'discover only there', 'discover neither']);
  assert.deepEqual(told[1]?.theirs, { number: 3, from: '10.0.0.9', answer: 'OFFER' });
});

test('a question that is asked again while its answer is long in coming has that answer both times', () => {
  const rack = new DhcpRack(PLAN);
  const tape = new Tape();
  const question = writePacket({ type: DISCOVER });
  for (let n = 0; n < 2; n++) tape.add(question, TO_RACK);
  const answer = rack.ask(question);
  assert.ok(answer);
  tape.add(answer.bytes, TO_CLIENT);
  const machine = new Machine(rack, 1);
  tape.record(rack);
  machine.select(answer.yiaddr);
  assert.deepEqual(verdicts(replayed(tape)), ['discover same', 'discover same', 'request same']);
});

test('of several servers that answered, the likest counts', () => {
  const rack = new DhcpRack(PLAN);
  const tape = new Tape();
  const question = writePacket({ type: DISCOVER });
  tape.add(question, TO_RACK);
  const answer = rack.ask(question);
  assert.ok(answer);
  tape.add(writePacket({ type: 2, op: 2 }), { ...TO_CLIENT, from: '10.0.0.9' });
  tape.add(answer.bytes, TO_CLIENT);
  const [told] = replayed(tape);
  assert.deepEqual([told?.verdict, told?.theirs?.number], ['same', 3]);
});

function tftp(encode: (into: Uint8Array) => number): Uint8Array {
  const into = new Uint8Array(600);
  return into.slice(0, encode(into));
}

const CLIENT_READS: Way = { from: '192.168.127.111', port: 2070, to: RACK, toPort: 69 };
const READ_ANSWERED: Way = { from: RACK, port: 3000, to: '192.168.127.111', toPort: 2070 };

function read(file: string): Uint8Array {
  return tftp((into) => encodeRequest(into, { type: 'rrq', file, mode: 'octet', options: { tsize: 0 } }));
}

const READS: readonly (readonly [string, file: string, answer: Uint8Array, verdict: string, differences: string[]])[] =
  [
    ['a file that was sent', 'loader', tftp((into) => encodeOack(into, { tsize: 12 })), 'same', []],
    ['a file of another size', 'loader', tftp((into) => encodeOack(into, { tsize: 13 })), 'different', ['size 12 13']],
    ['a file that was missing', 'none', tftp((into) => encodeError(into, 1, 'no')), 'same', []],
    [
      'a file that was missing there',
      'loader',
      tftp((into) => encodeError(into, 1, 'no\u001b')),
      'different',
      ['answer the file ERROR 1: no.'],
    ],
    [
      'a file that is missing here',
      'none',
      tftp((into) => encodeOack(into, { tsize: 12 })),
      'different',
      ['answer an error the file'],
    ],
  ];

for (const [title, file, answer, verdict, differences] of READS) {
  test(`by TFTP, ${title} is told as ${verdict}`, () => {
    const tape = new Tape();
    tape.add(read(file), CLIENT_READS);
    tape.add(answer, READ_ANSWERED);
    const [told] = replayed(tape);
    assert.equal(told?.verdict, verdict);
    assert.deepEqual(
      told.differences.map(({ what, ours = '', theirs = '' }) => `${what} ${ours} ${theirs}`),
      differences,
    );
  });
}

test('a capture of questions without end is replayed in bounded memory, and in order', () => {
  const tape = new Tape();
  for (let n = 0; n < 3_000; n++) {
    tape.seconds = n;
    tape.add(writePacket({ type: DISCOVER, xid: n + 1, mac: `52:54:00:00:${hex(n >>> 8)}:${hex(n & 255)}` }), TO_RACK);
  }
  const told: number[] = [];
  const replayer = new Replayer({ plan: PLAN, leases: { leases: [] }, boots: NO_BOOT_STATES, now: 0 }, ({ number }) =>
    told.push(number),
  );
  for (const datagram of tape.datagrams) replayer.take(datagram);
  assert.equal(told.length, 3_000 - 1_024);
  replayer.end();
  assert.deepEqual(
    told,
    tape.datagrams.map(({ number }) => number),
  );
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

test('what is no question of ours, or can not be read, is passed over', () => {
  const tape = new Tape();
  tape.add(Uint8Array.of(1, 2, 3), TO_RACK);
  tape.add(Uint8Array.of(9, 9), { ...TO_RACK, toPort: 69 });
  tape.add(writePacket({ type: 2, op: 2 }), TO_CLIENT);
  tape.add(Uint8Array.of(0), { ...TO_RACK, port: 5000, toPort: 53 });
  assert.deepEqual(replayed(tape), []);
});

test('whatever a capture holds, it is replayed to its end', () => {
  const replayer = new Replayer({ plan: PLAN, leases: { leases: [] }, boots: NO_BOOT_STATES, now: 0 }, ({ answer }) =>
    assert.match(answer, /^[ -~]+$/),
  );
  const seeds = [writePacket({ type: DISCOVER }), writePacket({ type: 3, op: 2 }), read('loader')];
  const ways = [TO_RACK, TO_CLIENT, CLIENT_READS, READ_ANSWERED, { ...TO_RACK, toPort: 4011 }];
  let number = 0;
  fuzz({
    seeds,
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 20_000),
    run: (bytes) => {
      const tape = new Tape();
      tape.seconds = number++;
      tape.add(bytes, ways[number % ways.length] ?? TO_RACK);
      for (const datagram of tape.datagrams) replayer.take(datagram);
    },
  });
});
