import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatIp4, parseIp4, UNSPECIFIED, type Ip4 } from '../../src/addr/ip4.ts';
import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { Tap } from '../../src/service/tap.ts';
import type { DatagramSocket, Inbound, LinkSender, TrainSocket } from '../../src/system/datagram.ts';
import { encodePcapHeader } from '../../src/wire/pcap-record.ts';
import { readCapture } from '../../src/wire/pcap.ts';
import { DISCOVER, writePacket } from '../dhcp/naive-packet.ts';
import { sourceOf } from '../wire/capture-file.ts';

const MAC = '52:54:00:00:00:01';
const OTHER = '52:54:00:00:00:02';
const RACK = '192.168.127.1';
const LEASE = '192.168.127.9';

function ip(text: string): Ip4 {
  return parseIp4(text) ?? UNSPECIFIED;
}

function aim(addresses: readonly string[] = [LEASE], bytes = 100_000, id = 1) {
  return { id, mac: parseMac(MAC) as Mac, addresses: addresses.map(ip), bytes };
}

function inbound(bytes: Uint8Array, source: string, destination = '255.255.255.255'): Inbound {
  return { bytes, source: ip(source), sourcePort: 68, destination: ip(destination), ifindex: 1 };
}

/** A tap, a socket of each kind on it, and what comes out at its end. */
class Bench {
  readonly posted: Uint8Array[] = [];
  readonly timers: (() => void)[] = [];
  readonly passed: string[] = [];
  now = 1_700_000_000_250;
  readonly tap = new Tap({
    clock: { now: () => this.now },
    post: (records) => this.posted.push(records),
    after: (_milliseconds, fire) => void this.timers.push(fire),
  });
  waiting: Inbound[] = [];
  readonly #plain = { flush: () => 0, close: () => {} };
  readonly #buffer = new Uint8Array(4096).map((_, at) => at & 255);
  readonly datagrams: DatagramSocket;
  readonly trains: TrainSocket;
  readonly link: LinkSender;

  constructor() {
    const receive = (handle: (datagram: Inbound) => void): number => {
      for (const datagram of this.waiting) handle(datagram);
      return this.waiting.splice(0).length;
    };
    const local = { address: ip(RACK), port: () => 67 };
    const send = (bytes: Uint8Array): void => void this.passed.push(`sent ${bytes.length}`);
    this.datagrams = this.tap.datagrams({ ...this.#plain, receive, send }, local);
    this.link = this.tap.link({ ...this.#plain, send });
    const train: TrainSocket = {
      ...this.#plain,
      receive,
      buffer: this.#buffer,
      room: () => 100,
      send: (length, segment) => void this.passed.push(`train ${length} by ${segment}`),
    };
    this.trains = this.tap.trains(train, { address: ip(RACK), port: () => 3000 }, 128);
  }

  hear(...datagrams: Inbound[]): string[] {
    this.waiting = datagrams;
    this.datagrams.receive(({ source }) => this.passed.push(`heard ${formatIp4(source)}`));
    return this.passed.splice(0);
  }

  /** "68>67 10 bytes" for each packet that came out. */
  captured(): string[] {
    for (const fire of this.timers.splice(0)) fire();
    const file = Buffer.concat([encodePcapHeader(), ...this.posted.splice(0)]);
    return Array.from(
      readCapture(sourceOf(file)),
      ({ at, source, sourcePort, destination, port, bytes }) =>
        `${at % 1000} ${formatIp4(source)}:${sourcePort} > ${formatIp4(destination)}:${port} ${bytes.length}`,
    );
  }
}

const QUESTION = writePacket({ type: DISCOVER, mac: MAC });
const SIZE = QUESTION.length;

test('a tap that is off lets everything through as it is, and writes nothing down', () => {
  const bench = new Bench();
  assert.deepEqual(bench.hear(inbound(QUESTION, LEASE)), [`heard ${LEASE}`]);
  bench.datagrams.send(QUESTION, { address: ip(LEASE), port: 68 });
  assert.deepEqual([bench.passed, bench.captured(), bench.timers], [[`sent ${SIZE}`], [], []]);
});

test('what a machine without an address says by DHCP, and what is said to it, is known by its MAC', () => {
  const bench = new Bench();
  bench.tap.aim(aim([]));
  const heard = bench.hear(
    inbound(QUESTION, '0.0.0.0'),
    inbound(writePacket({ type: DISCOVER, mac: OTHER }), '0.0.0.0'),
    inbound(Uint8Array.of(1, 2), '0.0.0.0'),
  );
  assert.equal(heard.length, 3);
  bench.datagrams.send(QUESTION, { address: ip('255.255.255.255'), port: 68 });
  bench.datagrams.send(writePacket({ type: 2, mac: OTHER }), { address: ip('255.255.255.255'), port: 68 });
  const to = { ifindex: 1, mac: 5, source: ip(RACK), sourcePort: 67, address: ip(LEASE), port: 68 };
  bench.link.send(QUESTION, to);
  assert.deepEqual(bench.captured(), [
    `250 0.0.0.0:68 > 255.255.255.255:67 ${SIZE}`,
    `250 ${RACK}:67 > 255.255.255.255:68 ${SIZE}`,
    `250 ${RACK}:67 > ${LEASE}:68 ${SIZE}`,
  ]);
});

test('whatever comes from its address or goes there is its own', () => {
  const bench = new Bench();
  bench.tap.aim(aim());
  bench.hear(inbound(Uint8Array.of(1, 2), LEASE, RACK), inbound(Uint8Array.of(1), '192.168.127.10', RACK));
  bench.hear({ ...inbound(Uint8Array.of(3), LEASE), destination: UNSPECIFIED });
  bench.datagrams.send(Uint8Array.of(1, 2, 3), { address: ip(LEASE), port: 53, source: ip('192.168.127.3') });
  bench.datagrams.send(Uint8Array.of(1), { address: ip('192.168.127.10'), port: 53 });
  assert.deepEqual(bench.captured(), [
    `250 ${LEASE}:68 > ${RACK}:67 2`,
    `250 ${LEASE}:68 > ${RACK}:67 1`,
    `250 192.168.127.3:67 > ${LEASE}:53 3`,
  ]);
});

test('what an address asked and was told just before it is known whose it is, is written down then', () => {
  const bench = new Bench();
  bench.tap.aim(aim([]));
  bench.hear(inbound(Uint8Array.of(1, 2, 3, 4), LEASE, RACK));
  bench.now += 999;
  bench.hear(inbound(Uint8Array.of(1), LEASE, RACK), inbound(Uint8Array.of(1), '192.168.127.10', RACK));
  bench.datagrams.send(Uint8Array.of(1, 2), { address: ip(LEASE), port: 53 });
  bench.now += 1;
  bench.tap.aim(aim());
  const told = [`249 ${LEASE}:68 > ${RACK}:67 1`, `249 ${RACK}:67 > ${LEASE}:53 2`];
  assert.deepEqual(bench.captured(), told);
  bench.tap.aim(aim([LEASE, '192.168.127.11']));
  assert.deepEqual(bench.captured(), []);
  bench.tap.aim(aim([LEASE, '192.168.127.10'], 100_000, 2));
  assert.deepEqual(bench.captured(), [], 'another capture has nothing of the one before');
});

test('what waits for an address is bounded: the oldest goes', () => {
  const bench = new Bench();
  bench.tap.aim(aim([], 10_000_000));
  const most = Math.floor((256 * 1024) / (16 + 28 + 1400));
  for (let n = 0; n < 3 * most; n++) bench.hear(inbound(new Uint8Array(1400), LEASE, RACK));
  bench.hear(inbound(Uint8Array.of(1), LEASE, RACK));
  bench.tap.aim(aim([LEASE], 10_000_000));
  const captured = bench.captured();
  assert.ok(captured.length > most / 3 && captured.length <= most + 1, `${captured.length}`);
  assert.equal(captured.at(-1), `250 ${LEASE}:68 > ${RACK}:67 1`);
});

test('a train is written down packet by packet, cut short, with the length that each had', () => {
  const bench = new Bench();
  bench.tap.aim(aim());
  bench.trains.room(2500);
  bench.trains.send(2500, 1000, { address: ip(LEASE), port: 2070 });
  assert.deepEqual(bench.passed, ['train 2500 by 1000']);
  for (const fire of bench.timers) fire();
  const records = Buffer.concat(bench.posted);
  const lengths: [kept: number, length: number, first: number][] = [];
  for (let at = 0; at < records.length; at += 16 + records.readUInt32LE(at + 8))
    lengths.push([records.readUInt32LE(at + 8), records.readUInt32LE(at + 12), records.readUInt8(at + 16 + 28)]);
  assert.deepEqual(lengths, [
    [156, 1028, 100],
    [156, 1028, 1100 & 255],
    [156, 528, 2100 & 255],
  ]);
});

test('a capture has a bound, which another aim of the same capture does not widen, and the next one has anew', () => {
  const bench = new Bench();
  const one = 16 + 28 + SIZE;
  bench.tap.aim(aim([], one * 2));
  for (let n = 0; n < 2; n++) bench.hear(inbound(QUESTION, '0.0.0.0'));
  bench.tap.aim(aim([LEASE], one * 2));
  bench.hear(inbound(QUESTION, '0.0.0.0'));
  assert.equal(bench.captured().length, 2);
  bench.tap.aim(aim([], one, 2));
  for (let n = 0; n < 2; n++) bench.hear(inbound(QUESTION, '0.0.0.0'));
  assert.equal(bench.captured().length, 1);
  bench.tap.aim(undefined);
  bench.hear(inbound(QUESTION, '0.0.0.0'));
  assert.equal(bench.captured().length, 0);
});

test('packets are gathered to one letter, and much of them is one sooner', () => {
  const bench = new Bench();
  bench.tap.aim(aim());
  for (let n = 0; n < 5; n++) bench.hear(inbound(QUESTION, LEASE));
  assert.deepEqual([bench.posted.length, bench.timers.length], [0, 1]);
  for (let n = 0; n < 60; n++) bench.hear(inbound(new Uint8Array(1400), LEASE));
  assert.equal(bench.posted.length, 1);
  assert.equal(bench.captured().length, 65);
});
