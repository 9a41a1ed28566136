import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { readCapture, type CapturedDatagram } from '../../src/wire/pcap.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { ethernet, pcap, pcapng, sourceOf, udpPacket } from './capture-file.ts';
import { fuzz } from './fuzz.ts';

const PACKET = udpPacket(Uint8Array.of(1, 2, 3), '10.0.7.1', '192.168.127.1');
const cooked = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([...Array.from({ length: 14 }, () => 0), 8, 0, ...packet]);
const cooked2 = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([8, 0, ...Array.from({ length: 18 }, () => 0), ...packet]);

function captured(file: Uint8Array): CapturedDatagram[] {
  return [...readCapture(sourceOf(file))];
}

const CAPTURES: readonly (readonly [title: string, file: Uint8Array])[] = [
  ['pcap of Ethernet', pcap([ethernet(PACKET)])],
  ['pcap of a big-endian machine', pcap([ethernet(PACKET)], 1, false)],
  ['pcap of a VLAN in a VLAN', pcap([ethernet(PACKET, [5, 7])])],
  ['pcap of bare IP', pcap([PACKET], 101)],
  ['pcap of any interface', pcap([cooked(PACKET)], 113)],
  ['pcap of any interface, as newer tcpdump has it', pcap([cooked2(PACKET)], 276)],
  ['pcapng', pcapng([ethernet(PACKET)])],
  ['pcapng of a big-endian machine', pcapng([ethernet(PACKET)], 1, false)],
];

for (const [title, file] of CAPTURES) {
  test(`a datagram is read from ${title}`, () => {
    const [found] = captured(file).map(({ at: _at, source, destination, bytes, ...ports }) => ({
      ...ports,
      way: [formatIp4(source), formatIp4(destination)],
      bytes: [...bytes],
    }));
    assert.deepEqual(found, {
      number: 1,
      sourcePort: 68,
      port: 67,
      way: ['10.0.7.1', '192.168.127.1'],
      bytes: [1, 2, 3],
      isCut: false,
    });
  });
}

test('what is no whole UDP datagram is passed over, and counted', () => {
  const tcp = PACKET.slice();
  tcp[9] = 6;
  const fragment = PACKET.slice();
  fragment[6] = 0x20;
  const arp = ethernet(PACKET);
  arp[13] = 6;
  const frames = [
    ethernet(tcp),
    ethernet(fragment),
    arp,
    ethernet(PACKET.slice(0, 20)),
    new Uint8Array(0),
    ethernet(PACKET),
  ];
  for (const file of [pcap(frames), pcapng(frames)])
    assert.deepEqual(
      captured(file).map(({ number }) => number),
      [6],
    );
});

test('a datagram of which the capture has only the beginning says so; padding behind it is none of it', () => {
  const padded = Uint8Array.from([...PACKET, 0, 0, 0, 0]);
  const frames = [
    ethernet(PACKET),
    ethernet(PACKET.subarray(0, -1)),
    ethernet(PACKET.subarray(0, -4)),
    ethernet(padded),
  ];
  assert.deepEqual(
    captured(pcap(frames)).map(({ number, isCut, bytes }) => [number, isCut, bytes.length]),
    [
      [1, false, 3],
      [2, true, 2],
      [4, false, 3],
    ],
  );
});

/** Where the link type itself is spoilt there is nothing to read. */
function readIfReadable(file: Uint8Array): void {
  try {
    captured(file);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

test('what is no capture is a WireError; a capture that is cut off or spoilt is read as far as it goes', () => {
  assert.throws(() => captured(new Uint8Array(0)), WireError);
  assert.throws(() => captured(new Uint8Array(100)), WireError);
  for (const file of [pcap([ethernet(PACKET), ethernet(PACKET)]), pcapng([ethernet(PACKET), ethernet(PACKET)])]) {
    for (let length = 24; length < file.length; length++) assert.ok(captured(file.subarray(0, length)).length < 2);
    for (let at = 4; at < file.length; at++) {
      const spoilt = file.slice();
      spoilt[at] = 0xff;
      assert.doesNotThrow(() => readIfReadable(spoilt), `byte ${at}`);
    }
  }
});

test('a capture of nothing but frames that can not be read is refused by its link type', () => {
  const wlan = [ethernet(PACKET)];
  const expected = 'expected frames of Ethernet, Linux cooked or bare IP, found only link type 105';
  for (const file of [pcap(wlan, 105), pcapng(wlan, 105)])
    assert.throws(() => captured(file), { name: WireError.name, message: expected });
  assert.deepEqual(captured(pcap([], 105)), []);
});

/** One record of classic pcap, whole header ahead. */
function pcapAt(magic: number, seconds: number, fraction: number): Uint8Array {
  const file = pcap([ethernet(PACKET)]);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(24, seconds, true);
  view.setUint32(28, fraction, true);
  return file;
}

test('the time of a packet is that of the capture, in whatever it is counted', () => {
  assert.equal(captured(pcapAt(0xa1b2c3d4, 5, 250_000))[0]?.at, 5250);
  assert.equal(captured(pcapAt(0xa1b23c4d, 5, 250_000_000))[0]?.at, 5250);
  const ng = pcapng([ethernet(PACKET)]);
  const view = new DataView(ng.buffer);
  // Section of 28 bytes, interface of 20; the time is 12 bytes into the packet
  view.setUint32(48 + 16, 7_000_000, true);
  assert.equal(captured(ng)[0]?.at, 7000);
  const [section, rest] = [ng.subarray(0, 28), ng.subarray(48)];
  const nanoseconds = [
    1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
  ];
  assert.equal(captured(Uint8Array.from([...section, ...nanoseconds, ...rest]))[0]?.at, 7);
});

test('a packet block without a time or an interface is read all the same', () => {
  const frame = ethernet(PACKET);
  const ng = pcapng([]);
  const padding = (4 - (frame.length % 4)) % 4;
  const length = 16 + frame.length + padding;
  const simple = [
    3,
    0,
    0,
    0,
    length,
    0,
    0,
    0,
    frame.length,
    0,
    0,
    0,
    ...frame,
    ...Array.from({ length: padding }, () => 0),
  ];
  const [found] = captured(Uint8Array.from([...ng, ...simple, length, 0, 0, 0]));
  assert.deepEqual(found && [...found.bytes], [1, 2, 3]);
});

test('whatever bytes a capture has, it is read as far as it goes, in bounded memory and time', () => {
  const frames = [ethernet(PACKET), ethernet(PACKET, [5]), cooked(PACKET)];
  const seeds = [
    pcap(frames),
    pcap(frames, 113, false),
    pcapng(frames),
    pcapng(frames, 276, false),
    pcap([PACKET], 101),
  ];
  const rounds = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 100_000);
  const { accepted } = fuzz({ seeds, rounds, run: (bytes) => void captured(bytes) });
  assert.ok(accepted > rounds / 3);
});
