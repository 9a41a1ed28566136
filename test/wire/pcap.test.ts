import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { readCapture } from '../../src/wire/pcap.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { ethernet, pcap, pcapng, udpPacket } from './capture-file.ts';

const PACKET = udpPacket(Uint8Array.of(1, 2, 3), '10.0.7.1', '192.168.127.1');
const cooked = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([...Array.from({ length: 14 }, () => 0), 8, 0, ...packet]);
const cooked2 = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([8, 0, ...Array.from({ length: 18 }, () => 0), ...packet]);

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
    const [found] = readCapture(file).map(({ source, destination, bytes, ...ports }) => ({
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
      readCapture(file).map(({ number }) => number),
      [6],
    );
});

/** Where the link type itself is spoilt there is nothing to read. */
function readIfReadable(file: Uint8Array): void {
  try {
    readCapture(file);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

test('what is no capture is a WireError; a capture that is cut off or spoilt is read as far as it goes', () => {
  assert.throws(() => readCapture(new Uint8Array(0)), WireError);
  assert.throws(() => readCapture(new Uint8Array(100)), WireError);
  for (const file of [pcap([ethernet(PACKET), ethernet(PACKET)]), pcapng([ethernet(PACKET), ethernet(PACKET)])]) {
    for (let length = 24; length < file.length; length++) assert.ok(readCapture(file.subarray(0, length)).length < 2);
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
    assert.throws(() => readCapture(file), { name: WireError.name, message: expected });
  assert.deepEqual(readCapture(pcap([], 105)), []);
});
