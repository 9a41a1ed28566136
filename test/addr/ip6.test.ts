import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { formatIp6, parseIp6 } from '../../src/addr/ip6.ts';

describe('an IPv6 address', () => {
  const good: readonly (readonly [text: string, hex: string, formatted?: string])[] = [
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::80', '20010db8000000000000000000000080'],
    ['2001:DB8:0:0:0:0:0:80', '20010db8000000000000000000000080', '2001:db8::80'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008', '0:2:3:4:5:6:7:8'],
    ['1:0:0:4:0:0:0:8', '00010000000000040000000000000008', '1:0:0:4::8'],
    ['1:0:0:4:5:0:0:8', '00010000000000040005000000000008', '1::4:5:0:0:8'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201', '64:ff9b::c000:201'],
  ];
  for (const [text, hex, formatted = text] of good) {
    test(`${text} is read, and written as ${formatted}`, () => {
      const octets = parseIp6(text) ?? '';
      assert.equal(Buffer.from(octets, 'latin1').toString('hex'), hex);
      assert.equal(formatIp6(octets), formatted);
    });
  }

  for (const text of [
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    '1.2.3.4',
    '::1.2.3.256',
    '::1.2.3.4:5',
    '1.2.3.4::',
    'fe80::1%eth0',
    '::1/64',
    ' ::1',
  ]) {
    test(`"${text}" is none`, () => assert.equal(parseIp6(text), undefined));
  }

  test('is the same after it was written and read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const octets = Buffer.from(bytes.map((byte) => (byte < 128 ? 0 : byte))).toString('latin1');
        assert.equal(parseIp6(formatIp6(octets)), octets);
      }),
    );
  });
});
