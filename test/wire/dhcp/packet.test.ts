import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4, parseIp4, UNSPECIFIED, type Ip4 } from '../../../src/addr/ip4.ts';
import { formatMac, readMac } from '../../../src/addr/mac.ts';
import type { DhcpOption } from '../../../src/wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../../../src/wire/dhcp/option-code.ts';
import {
  BOOTREPLY,
  BOOTREQUEST,
  decodeDhcp,
  encodeDhcp,
  type DhcpMessage,
  type DhcpPacket,
} from '../../../src/wire/dhcp/packet.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex, readHexFixture, readHexFixtures } from '../../fixtures/hex.ts';

/** The 236 bytes before the cookie, all of them different from what an unread field would show. */
const HEADER = parseHex(`
  02 01 06 03  39 03 f3 26  00 07 80 00
  0a000001 0a000002 0a000003 0a000004
  525400123456 00*10
  72 61 63 6b 00*60
  62 6f 6f 74 2f 78 00 79 00*120
`);
const COOKIE = parseHex('63 82 53 63');

test('each field is read from its place', () => {
  const packet = decodeDhcp(withOptions('ff'));
  const { chaddr, options, ...rest } = packet;
  assert.deepEqual(rest, {
    op: BOOTREPLY,
    htype: 1,
    hlen: 6,
    hops: 3,
    xid: 0x3903f326,
    secs: 7,
    flags: 0x8000,
    ciaddr: ip4('10.0.0.1'),
    yiaddr: ip4('10.0.0.2'),
    siaddr: ip4('10.0.0.3'),
    giaddr: ip4('10.0.0.4'),
    sname: 'rack',
    file: 'boot/x',
    hasCookie: true,
  });
  assert.equal(hex(chaddr), '52540012345600000000000000000000');
  assert.deepEqual([...options], []);
});

test('a real iPXE discover is read whole', () => {
  const packet = decodeDhcp(readHexFixture('dhcp/ipxe-rom-discover'));
  assert.equal(packet.op, BOOTREQUEST);
  assert.equal(packet.secs, 4);
  assert.equal(formatMac(readMac(packet.chaddr, 0)), '52:54:00:12:34:56');
  assert.deepEqual(codes(packet.options), [53, 57, 93, 94, 60, 77, 55, 175, 61, 97]);
  assert.equal(hex(packet.options.get(OptionCode.clientMachineId)), '0033221100554477668899aabbccddeeff');
});

test('every fixture is read, and only the BOOTP one has no cookie', () => {
  for (const [name, bytes] of readHexFixtures('dhcp')) {
    const packet = decodeDhcp(bytes);
    const bootp = name === 'dhcp/bootp-request';
    assert.equal(packet.hasCookie, !bootp, name);
    assert.equal(packet.options.get(OptionCode.messageType)?.length, bootp ? undefined : 1, name);
  }
});

const REFUSED: readonly [string, Uint8Array, RegExp][] = [
  ['an empty datagram', new Uint8Array(0), /expected at least 240 bytes, found 0/],
  ['a header cut before its cookie', withOptions('').subarray(0, 239), /expected at least 240 bytes, found 239/],
  ['a hardware address longer than its field', withByte(withOptions('ff'), 2, 17), /at most 16 bytes, found 17/],
  ['an option longer than what is left', withOptions('35 02 01'), /option 53 at byte 240 expects 2 bytes, found 1/],
  ['an option without a length', withOptions('35 01 01 0c'), /option 12 at byte 243 has no length/],
  [
    'an option in file that runs into the cookie',
    overloaded('01', '43 7f', ''),
    /option 67 at byte 108 expects 127 bytes, found 126/,
  ],
  [
    'an option without a length at the end of sname',
    overloaded('02', '', '00*63 0c'),
    /option 12 at byte 107 has no length/,
  ],
  [
    'an option in sname that runs into file',
    overloaded('02', '', '0c 3f'),
    /option 12 at byte 44 expects 63 bytes, found 62/,
  ],
];

for (const [what, bytes, message] of REFUSED) {
  test(`${what} is a WireError`, () => {
    assert.throws(() => decodeDhcp(bytes), { name: 'WireError', message });
  });
}

const READ: readonly [string, Uint8Array, Record<number, string>][] = [
  ['options end at End', withOptions('35 01 01 ff 0c 01 61'), { 53: '01' }],
  ['a missing End is forgiven', withOptions('35 01 01'), { 53: '01' }],
  ['no options at all is no error', withOptions(''), {}],
  ['Pad has no length and is skipped', withOptions('00 00 35 01 01 00 0c 01 61 00 ff'), { 53: '01', 12: '61' }],
  ['an option may be empty', withOptions('50 00 ff'), { 80: '' }],
  [
    'pieces of one option are joined',
    withOptions('43 02 61 62 35 01 01 43 01 63 43 00 ff'),
    { 67: '616263', 53: '01' },
  ],
  ['option 52 opens file', overloaded('01', '43 01 61 ff', '0c 01 61 ff'), { 52: '01', 67: '61' }],
  ['option 52 opens sname', overloaded('02', '43 01 61 ff', '0c 01 61 ff'), { 52: '02', 12: '61' }],
  [
    'file is read before sname',
    overloaded('03', '43 01 61 ff', '43 01 62 0c 01 63 ff'),
    { 52: '03', 67: '6162', 12: '63' },
  ],
  ['option 52 inside file opens nothing more', overloaded('01', '34 01 03 ff', '0c 01 61 ff'), { 52: '0103' }],
  ['option 52 of zero opens nothing', overloaded('00', '43 01 61 ff', ''), { 52: '00' }],
  ['option 52 above three opens nothing', overloaded('04', '43 01 61 ff', ''), { 52: '04' }],
  ['option 52 of two bytes opens nothing', withOptions('34 02 03 03 ff'), { 52: '0303' }],
];

for (const [what, bytes, expected] of READ) {
  test(what, () => {
    const { options } = decodeDhcp(bytes);
    const found = Object.fromEntries([...options].map(({ code, value }) => [code, hex(value)]));
    assert.deepEqual(found, expected);
    for (const [code, value] of Object.entries(expected)) assert.equal(hex(options.get(Number(code))), value);
  });
}

test('fields that carry options are not names', () => {
  const both = decodeDhcp(overloaded('03', '43 01 61 ff', '0c 01 61 ff'));
  assert.deepEqual([both.file, both.sname], ['', '']);
  const file = decodeDhcp(overloaded('01', '43 01 61 ff', '72 61 63 6b'));
  assert.deepEqual([file.file, file.sname], ['', 'rack']);
});

test('names that fill their fields need no NUL', () => {
  const bytes = withOptions('ff').fill(0x61, 44, 236);
  const packet = decodeDhcp(bytes);
  assert.deepEqual([packet.sname, packet.file], ['a'.repeat(64), 'a'.repeat(128)]);
});

test('a hardware address may fill its field', () => {
  assert.equal(decodeDhcp(withByte(withOptions('ff'), 2, 16)).hlen, 16);
});

test('bytes above 127 in a name are one character each', () => {
  assert.equal(decodeDhcp(withByte(withOptions('ff'), 44, 0xe4)).sname, 'äack');
});

test('without the cookie it is BOOTP: no options, whatever the vendor area holds', () => {
  const packet = decodeDhcp(withByte(withOptions('35 40 01'), 239, 0x64));
  assert.deepEqual([packet.hasCookie, [...packet.options], packet.file], [false, [], 'boot/x']);
});

test('values and chaddr are views of the datagram, not copies', () => {
  const bytes = withOptions('0c 01 61 ff');
  const packet = decodeDhcp(bytes);
  assert.equal(packet.chaddr.buffer, bytes.buffer);
  assert.equal(packet.options.get(OptionCode.hostName)?.buffer, bytes.buffer);
});

test('a datagram in the middle of a larger buffer is read the same', () => {
  const bytes = readHexFixture('dhcp/udhcpc-request');
  const larger = new Uint8Array(bytes.length + 20).fill(0x35);
  larger.set(bytes, 7);
  assert.deepEqual(plain(decodeDhcp(larger.subarray(7, 7 + bytes.length))), plain(decodeDhcp(bytes)));
});

const OFFER: DhcpMessage = {
  op: BOOTREPLY,
  htype: 1,
  hlen: 6,
  hops: 0,
  xid: 0xf903f326,
  secs: 0,
  flags: 0x8000,
  ciaddr: UNSPECIFIED,
  yiaddr: ip4('192.168.127.121'),
  siaddr: ip4('192.168.127.1'),
  giaddr: ip4('10.0.7.1'),
  chaddr: parseHex('52 54 00 12 34 56'),
  sname: 'rack-a1',
  file: 'undionly.kpxe',
  options: [
    option(OptionCode.messageType, '02'),
    option(OptionCode.relayAgent, '01 01 07'),
    option(OptionCode.serverId, 'c0 a8 7f 01'),
    option(OptionCode.leaseTime, '00 00 a8 c0'),
    option(OptionCode.bootFileName, '75 6e 64 69 6f 6e 6c 79 2e 6b 70 78 65 00'),
  ],
};

test('an offer has exactly these bytes: option 82 last, then End, then zeros up to 300', () => {
  const expected = parseHex(`
    02 01 06 00  f9 03 f3 26  00 00 80 00
    00 00 00 00  c0 a8 7f 79  c0 a8 7f 01  0a 00 07 01
    52 54 00 12 34 56 00*10
    72 61 63 6b 2d 61 31 00*57
    75 6e 64 69 6f 6e 6c 79 2e 6b 70 78 65 00*115
    63 82 53 63
    35 01 02
    36 04 c0 a8 7f 01
    33 04 00 00 a8 c0
    43 0e 75 6e 64 69 6f 6e 6c 79 2e 6b 70 78 65 00
    52 03 01 01 07
    ff 00*23
  `);
  assert.equal(expected.length, 300);
  assert.equal(hex(encode(OFFER)), hex(expected));
});

test('what the buffer held before shows nowhere', () => {
  const used = new Uint8Array(1500).fill(0xaa);
  assert.equal(hex(used.subarray(0, encodeDhcp(OFFER, used))), hex(encode(OFFER)));
});

test('a long message ends with its End', () => {
  const bytes = encode({ ...OFFER, options: [option(OptionCode.rootPath, '61*200')] });
  assert.equal(bytes.length, 240 + 202 + 1);
  assert.equal(bytes.at(-1), OptionCode.end);
});

const SPLITS: readonly [number, readonly number[]][] = [
  [0, [0]],
  [255, [255]],
  [256, [255, 1]],
  [510, [255, 255]],
  [600, [255, 255, 90]],
];

for (const [size, pieces] of SPLITS) {
  test(`a value of ${size} bytes goes out in pieces of ${pieces.join(', ')} and comes back whole`, () => {
    const value = Uint8Array.from({ length: size }, (_, at) => at & 255);
    const bytes = encode({ ...OFFER, options: [{ code: 43, value }] });
    let at = 240;
    for (const piece of pieces) {
      assert.deepEqual([bytes[at], bytes[at + 1]], [43, piece]);
      at += 2 + piece;
    }
    assert.equal(bytes[at], OptionCode.end);
    assert.equal(hex(decodeDhcp(bytes).options.get(43)), hex(value));
  });
}

test('every fixture with a cookie comes back the same from encoding and decoding', () => {
  for (const [name, bytes] of readHexFixtures('dhcp')) {
    const packet = decodeDhcp(bytes);
    assert.deepEqual(plain(decodeDhcp(encode(packet))), { ...plain(packet), hasCookie: true }, name);
  }
});

test('options from file and sname are written among the others, without option 52', () => {
  const packet = decodeDhcp(overloaded('03', '43 01 61 ff', '0c 01 63 ff'));
  assert.equal(hex(encode(packet).subarray(240, 247)), '4301610c0163ff');
});

test('names as long as their field less the NUL are written', () => {
  const packet = decodeDhcp(encode({ ...OFFER, sname: 's'.repeat(63), file: 'f'.repeat(127) }));
  assert.deepEqual([packet.sname.length, packet.file.length], [63, 127]);
});

const UNWRITABLE: readonly [string, Partial<DhcpMessage>, number, RegExp][] = [
  ['sname without room for NUL', { sname: 's'.repeat(64) }, 1500, /expected at most 63 characters, found 64/],
  ['file without room for NUL', { file: 'f'.repeat(128) }, 1500, /expected at most 127 characters, found 128/],
  ['a chaddr of 17 bytes', { chaddr: new Uint8Array(17) }, 1500, /expected chaddr of at most 16 bytes, found 17/],
  ['a limit below 300 bytes', {}, 299, /expected room for 300 bytes, found 299/],
  [
    'options past the limit',
    { options: [option(43, '00*74')] },
    316,
    /option 43 ends at byte 316, expected at most 315/,
  ],
  ['option 82 past the limit', { options: [option(43, '00*70'), option(82, '00')] }, 315, /option 82 ends at byte 315/],
  ['option 0', { options: [option(0, '00')] }, 1500, /expected an option from 1 to 254, found 0/],
  ['option 255', { options: [option(255, '00')] }, 1500, /expected an option from 1 to 254, found 255/],
];

for (const [what, change, limit, message] of UNWRITABLE) {
  test(`${what} is a WireError when writing`, () => {
    assert.throws(() => encodeDhcp({ ...OFFER, ...change }, new Uint8Array(1500), limit), {
      name: 'WireError',
      message,
    });
  });
}

test('a message may fill its limit to the last byte, and never the buffer beyond', () => {
  const options = [option(43, '61*73')];
  assert.equal(encodeDhcp({ ...OFFER, options }, new Uint8Array(1500), 316), 316);
  assert.throws(() => encodeDhcp({ ...OFFER, options }, new Uint8Array(315), 1500), WireError);
});

function encode(message: DhcpMessage): Uint8Array {
  const into = new Uint8Array(2048);
  return into.subarray(0, encodeDhcp(message, into));
}

/** A packet without its views and its class, to compare. */
function plain(packet: DhcpPacket): Record<string, unknown> {
  const options = [...packet.options].map(({ code, value }) => `${code} ${hex(value)}`);
  return { ...packet, chaddr: hex(packet.chaddr), options: options.toSorted(), giaddr: formatIp4(packet.giaddr) };
}

function withOptions(options: string): Uint8Array {
  return Uint8Array.from([...HEADER, ...COOKIE, ...parseHex(options)]);
}

/** Only option 52 in its place, the rest in file and sname. */
function overloaded(value: string, file: string, sname: string): Uint8Array {
  const bytes = withOptions(`34 01 ${value} ff`).fill(0, 44, 236);
  bytes.set(parseHex(sname), 44);
  bytes.set(parseHex(file), 108);
  return bytes;
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

function option(code: number, value: string): DhcpOption {
  return { code, value: parseHex(value) };
}

function codes(options: Iterable<DhcpOption>): number[] {
  return [...options].map(({ code }) => code);
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex');
}

function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined);
  return address;
}
