import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TftpOptions } from '../../../src/wire/tftp/options.ts';
import {
  decodeTftp,
  encodeAck,
  DATA_HEADER,
  encodeDataHeader,
  encodeError,
  encodeOack,
  encodeRequest,
  type TftpPacket,
} from '../../../src/wire/tftp/packet.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

/** `\0` and other bytes as latin1 text: one character, one byte. */
function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}

function rrq(file: string, options: TftpOptions = {}, mode = 'octet'): TftpPacket {
  return { type: 'rrq', file, mode, options };
}

const packets: readonly { title: string; bytes: string; packet: TftpPacket }[] = [
  { title: 'a plain read request', bytes: '\0\x01undionly.kpxe\0octet\0', packet: rrq('undionly.kpxe') },
  { title: 'a mode in capitals', bytes: '\0\x01a\0OcTeT\0', packet: rrq('a') },
  { title: 'a netascii mode', bytes: '\0\x01a\0NETASCII\0', packet: rrq('a', {}, 'netascii') },
  {
    title: 'a write request',
    bytes: '\0\x02a\0octet\0',
    packet: { type: 'wrq', file: 'a', mode: 'octet', options: {} },
  },
  {
    title: 'the options of OVMF, names in any case',
    bytes: '\0\x01snponly.efi\0octet\0tsize\x000\0BLKSIZE\x001468\0windowsize\x004\0',
    packet: rrq('snponly.efi', { tsize: 0, blksize: 1468, windowsize: 4 }),
  },
  {
    title: 'a timeout',
    bytes: '\0\x01a\0octet\0timeout\x003\0',
    packet: rrq('a', { timeout: 3 }),
  },
  {
    title: 'an unknown option, ignored (RFC 2347)',
    bytes: '\0\x01a\0octet\0multicast\0\0blksize\x00512\0constructor\x001\0',
    packet: rrq('a', { blksize: 512 }),
  },
  {
    title: 'the smallest values',
    bytes: '\0\x01a\0octet\0blksize\x008\0timeout\x001\0',
    packet: rrq('a', { blksize: 8, timeout: 1 }),
  },
  {
    title: 'the largest values',
    bytes: '\0\x01a\0octet\0blksize\x0065464\0timeout\x00255\0windowsize\x0065535\0',
    packet: rrq('a', { blksize: 65464, timeout: 255, windowsize: 65535 }),
  },
  {
    title: 'values outside their limits, ignored',
    bytes: '\0\x01a\0octet\0blksize\x007\0timeout\x000\0windowsize\x000\0',
    packet: rrq('a'),
  },
  {
    title: 'values above their limits, cut where the answer may be less, else ignored',
    bytes: '\0\x01a\0octet\0blksize\x0065465\0timeout\x00256\0windowsize\x0065536\0tsize\x009999999999999999\0',
    packet: rrq('a', { blksize: 65464, windowsize: 65535 }),
  },
  {
    title: 'values that are no numbers, ignored',
    bytes: '\0\x01a\0octet\0blksize\x001e3\0tsize\x00-1\0',
    packet: rrq('a'),
  },
  {
    title: 'an option given twice, of which the first counts',
    bytes: '\0\x01a\0octet\0blksize\x00512\0blksize\x001024\0',
    packet: rrq('a', { blksize: 512 }),
  },
  {
    title: 'padding behind the last NUL, left out',
    bytes: '\0\x01a\0octet\0tsize\x000\0\xff\xff',
    packet: rrq('a', { tsize: 0 }),
  },
  { title: 'an option without its value, left out', bytes: '\0\x01a\0octet\0tsize\0', packet: rrq('a') },
  { title: 'a file name that is no UTF-8', bytes: '\0\x01ipxe.efi\xff\0octet\0', packet: rrq('ipxe.efi\ufffd') },
  { title: 'a file name in UTF-8', bytes: '\0\x01\xc3\xa4\0octet\0', packet: rrq('ä') },
  { title: 'an ACK', bytes: '\0\x04\xff\xfe', packet: { type: 'ack', block: 65534 } },
  {
    title: 'an ACK padded to an Ethernet frame',
    bytes: `\0\x04\0\x01${'\0'.repeat(14)}`,
    packet: { type: 'ack', block: 1 },
  },
  { title: 'a DATA', bytes: '\0\x03\0\x02xy', packet: { type: 'data', block: 2, data: bytesOf('xy') } },
  { title: 'an empty DATA', bytes: '\0\x03\0\x02', packet: { type: 'data', block: 2, data: bytesOf('') } },
  { title: 'an ERROR', bytes: '\0\x05\0\x08no\0', packet: { type: 'error', code: 8, message: 'no' } },
  { title: 'an ERROR without its NUL', bytes: '\0\x05\0\0no', packet: { type: 'error', code: 0, message: 'no' } },
  { title: 'an ERROR without a message', bytes: '\0\x05\0\x01', packet: { type: 'error', code: 1, message: '' } },
  {
    title: 'an OACK',
    bytes: '\0\x06tsize\x0012345\0blksize\x001468\0',
    packet: { type: 'oack', options: { tsize: 12345, blksize: 1468 } },
  },
  { title: 'an empty OACK', bytes: '\0\x06', packet: { type: 'oack', options: {} } },
];

for (const { title, bytes, packet } of packets) {
  test(`reads ${title}`, () => {
    assert.deepEqual(decodeTftp(bytesOf(bytes)), packet);
  });
}

const faults: readonly { title: string; bytes: string; says: RegExp }[] = [
  { title: 'nothing at all', bytes: '', says: /2 bytes of opcode at 0, found the end after 0/ },
  { title: 'half an opcode', bytes: '\0', says: /opcode/ },
  { title: 'opcode 0', bytes: '\0\0', says: /opcode from 1 to 6, found 0/ },
  { title: 'opcode 7', bytes: '\0\x07', says: /found 7/ },
  { title: 'a request without a file name', bytes: '\0\x01', says: /a file name and a mode/ },
  { title: 'a request whose file name has no end', bytes: '\0\x01abc', says: /a file name and a mode/ },
  { title: 'a request whose mode has no end', bytes: '\0\x01abc\0octet', says: /a file name and a mode/ },
  { title: 'a request with an empty file name', bytes: '\0\x01\0octet\0', says: /expected a file name, found none/ },
  { title: 'a request above 512 bytes (RFC 2347)', bytes: `\0\x01${'a'.repeat(504)}\0octet\0`, says: /found 513/ },
  { title: 'an ACK without its number', bytes: '\0\x04\0', says: /block number/ },
  { title: 'a DATA without its number', bytes: '\0\x03', says: /block number/ },
  { title: 'an ERROR without its code', bytes: '\0\x05\0', says: /error code/ },
];

for (const { title, bytes, says } of faults) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () => decodeTftp(bytesOf(bytes)),
      (error) => error instanceof WireError && says.test(error.message),
    );
  });
}

test('a request of exactly 512 bytes is read', () => {
  const bytes = bytesOf(`\0\x01${'a'.repeat(503)}\0octet\0`);
  assert.equal(bytes.length, 512);
  assert.equal(decodeTftp(bytes).type, 'rrq');
});

function dataHeader(into: Uint8Array, block: number): number {
  encodeDataHeader(into, 0, block);
  return DATA_HEADER;
}

const encoded: readonly { title: string; write: (into: Uint8Array) => number; bytes: string }[] = [
  { title: 'a DATA header', write: (into) => dataHeader(into, 1), bytes: '\0\x03\0\x01' },
  {
    title: 'a DATA header past 65535, wrapped to 0',
    write: (into) => dataHeader(into, 65536),
    bytes: '\0\x03\0\0',
  },
  { title: 'an ACK', write: (into) => encodeAck(into, 0x1234), bytes: '\0\x04\x12\x34' },
  { title: 'an ERROR', write: (into) => encodeError(into, 1, 'no such file'), bytes: '\0\x05\0\x01no such file\0' },
  {
    title: 'an ERROR whose message holds a NUL, cut there',
    write: (into) => encodeError(into, 0, 'a\0b'),
    bytes: '\0\x05\0\0a\0',
  },
  {
    title: 'an ERROR with a long message, cut',
    write: (into) => encodeError(into, 0, 'x'.repeat(500)),
    bytes: `\0\x05\0\0${'x'.repeat(127)}\0`,
  },
  {
    title: 'an OACK',
    write: (into) => encodeOack(into, { windowsize: 4, blksize: 1468, tsize: 0, timeout: 2 }),
    bytes: '\0\x06tsize\x000\0blksize\x001468\0timeout\x002\0windowsize\x004\0',
  },
  {
    title: 'a request',
    write: (into) => encodeRequest(into, { type: 'rrq', file: 'a', mode: 'octet', options: { tsize: 0 } }),
    bytes: '\0\x01a\0octet\0tsize\x000\0',
  },
];

for (const { title, write, bytes } of encoded) {
  test(`writes ${title}`, () => {
    const into = new Uint8Array(200).fill(0xee);
    const length = write(into);
    assert.deepEqual(into.subarray(0, length), bytesOf(bytes));
    assert.equal(into[length], 0xee);
  });

  test(`writes ${title} into a buffer of its very size, and none smaller`, () => {
    assert.equal(write(new Uint8Array(bytes.length)), bytes.length);
    assert.throws(() => write(new Uint8Array(bytes.length - 1)), RangeError);
  });
}
