import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4, parseIp4, type Ip4 } from '../../../src/addr/ip4.ts';
import { formatMac, type Mac } from '../../../src/addr/mac.ts';
import { ARP_REPLY, ARP_REQUEST, ARP_SIZE, arpProbe, decodeArp, encodeArp } from '../../../src/wire/arp/packet.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

const REPLY = parseHex(`
  0001 0800 06 04 0002                # Ethernet, IPv4, reply
  02000000000b c0a87f64               # 02:00:00:00:00:0b has 192.168.127.100
  52540000000a 00000000               # told to the one that probed
  000000000000000000000000000000000000  # an Ethernet frame is no shorter than 60 bytes`);
const PROBE = parseHex('0001 0800 06 04 0001  52540000000a 00000000  000000000000 c0a87f64');

function changed(at: number, ...values: number[]): Uint8Array {
  const bytes = Uint8Array.from(REPLY);
  bytes.set(values, at);
  return bytes;
}

test('a reply says who has which address, padded or not', () => {
  for (const bytes of [REPLY, REPLY.subarray(0, ARP_SIZE)]) {
    const packet = decodeArp(bytes);
    assert.equal(packet.operation, ARP_REPLY);
    assert.equal(formatMac(packet.senderMac), '02:00:00:00:00:0b');
    assert.equal(formatIp4(packet.sender), '192.168.127.100');
    assert.equal(formatMac(packet.targetMac), '52:54:00:00:00:0a');
    assert.equal(formatIp4(packet.target), '0.0.0.0');
  }
});

test('a probe names the address it is about as target, and none as sender', () => {
  const into = new Uint8Array(64);
  const probe = arpProbe(0x52540000000a as Mac, parseIp4('192.168.127.100') as Ip4);
  assert.deepEqual(into.subarray(0, encodeArp(into, probe)), PROBE);
  assert.deepEqual(decodeArp(PROBE), probe);
  assert.equal(decodeArp(PROBE).operation, ARP_REQUEST);
});

const REFUSED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', new Uint8Array(0), /expected 28 bytes of ARP, found 0/],
  ['a packet cut short', REPLY.subarray(0, 27), /expected 28 bytes of ARP, found 27/],
  ['InfiniBand', changed(0, 0, 32, 8, 0, 20), /expected Ethernet \(type 1, 6 bytes\), found type 32 with 20 bytes/],
  ['long addresses', changed(4, 8), /found type 1 with 8 bytes/],
  ['another protocol', changed(2, 0x86, 0xdd), /expected IPv4 \(type 2048, 4 bytes\), found type 34525 with 4 bytes/],
  ['short protocol addresses', changed(5, 3), /found type 2048 with 3 bytes/],
];

for (const [name, bytes, message] of REFUSED) {
  test(`${name} is not read`, () => {
    assert.throws(
      () => decodeArp(bytes),
      (error) => error instanceof WireError && message.test(error.message),
    );
  });
}

test('a buffer without room for it is the caller’s mistake', () => {
  assert.throws(() => encodeArp(new Uint8Array(27), arpProbe(1 as Mac, 2 as Ip4)), RangeError);
});
