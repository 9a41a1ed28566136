import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { LinkDestination } from '../../src/system/datagram.ts';
import { writeIpDatagram } from '../../src/system/ip-datagram.ts';
import { parseHex } from '../fixtures/hex.ts';

const TO: LinkDestination = {
  ifindex: 2,
  mac: 0x525400123456,
  source: toIp4(0xc0a87f01),
  sourcePort: 67,
  address: toIp4(0xc0a87fdd),
  port: 68,
};

/** Made by another program; tcpdump -vv finds both sums right. */
const KNOWN: readonly (readonly [title: string, payload: string, expected: string])[] = [
  [
    'no payload',
    '',
    `45 00 001c 0000 0000 40 11 faa1   # IPv4, 28 bytes, DF clear, TTL 64, UDP
     c0a87f01 c0a87fdd                # 192.168.127.1 to 192.168.127.221
     0043 0044 0008 7f27              # 67 to 68, 8 bytes`,
  ],
  [
    'an odd payload',
    '01 02 03',
    `45 00 001f 0000 0000 40 11 fa9e
     c0a87f01 c0a87fdd
     0043 0044 000b 7b1f
     01 02 03`,
  ],
];

for (const [title, payload, expected] of KNOWN) {
  test(`a datagram with ${title} has these bytes`, () => {
    const into = new Uint8Array(64);
    const length = writeIpDatagram(into, 0, parseHex(payload), TO);
    assert.equal(
      Buffer.from(into.subarray(0, length)).toString('hex'),
      Buffer.from(parseHex(expected)).toString('hex'),
    );
  });
}

/** RFC 1071 as it is defined, byte by byte: a checksum is right when the sum over all, itself included, is all ones. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const [at, byte] of bytes.entries()) total += at % 2 === 0 ? byte * 256 : byte;
  return total % 0xffff === 0 && total > 0 ? 0xffff : total % 0xffff;
}

/** What RFC 768 has the checksum taken over. */
function withPseudoHeader(datagram: Uint8Array): Uint8Array {
  const udp = datagram.subarray(20);
  return Uint8Array.of(...datagram.subarray(12, 20), 0, 17, udp.length >> 8, udp.length & 255, ...udp);
}

test('both checksums hold for any payload and addresses', () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff }).map(toIp4);
  const u16 = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), u32, u32, u16, u16, (payload, source, address, sourcePort, port) => {
      const into = new Uint8Array(700).fill(0xee);
      const length = writeIpDatagram(into, 3, payload, { ...TO, source, address, sourcePort, port });
      const datagram = into.subarray(3, 3 + length);
      assert.equal(length, 28 + payload.length);
      assert.equal(sum(datagram.subarray(0, 20)), 0xffff);
      assert.equal(sum(withPseudoHeader(datagram)), 0xffff);
      assert.notEqual(new DataView(into.buffer).getUint16(3 + 26), 0);
      assert.deepEqual(datagram.subarray(28), payload);
      assert.equal(into[3 + length], 0xee);
      assert.equal(into[2], 0xee);
    }),
  );
});

test('a UDP checksum that comes to zero is sent as all ones (RFC 768)', () => {
  const nobody = { ...TO, source: toIp4(0), address: toIp4(0), sourcePort: 0, port: 0 };
  // Pseudo header 17 + 10, header length 10, payload 0xffff - 37: all words together are 0xffff
  const payload = Uint8Array.of((0xffff - 37) >> 8, (0xffff - 37) & 255);
  const into = new Uint8Array(64);
  writeIpDatagram(into, 0, payload, nobody);
  assert.equal(new DataView(into.buffer).getUint16(26), 0xffff);
});
