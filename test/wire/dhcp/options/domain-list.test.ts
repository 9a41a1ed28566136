import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDomainList, encodeDomainList } from '../../../../src/wire/dhcp/options/domain-list.ts';
import { parseHex } from '../../../fixtures/hex.ts';

/** The example of RFC 3397 §2: eng.apple.com and marketing.apple.com. */
const APPLE = '03 65 6e 67 05 61 70 70 6c 65 03 63 6f 6d 00  09 6d 61 72 6b 65 74 69 6e 67 c0 04';

test('the example of RFC 3397 is read and written byte by byte', () => {
  const names = ['eng.apple.com', 'marketing.apple.com'];
  assert.deepEqual(decodeDomainList(parseHex(APPLE)), names);
  assert.deepEqual(encodeDomainList(names), parseHex(APPLE));
});

const BROKEN: readonly [string, string][] = [
  ['nothing', ''],
  ['an empty name', '00'],
  ['an empty name behind a good one', '01 61 00 00'],
  ['a label cut off', '03 61 62'],
  ['a name without its end', '01 61'],
  ['a pointer cut off', '01 61 00 01 62 c0'],
  ['a pointer to itself', 'c0 00'],
  ['a pointer forward', '01 61 c0 04 01 62 00'],
  ['two pointers in a ring', '01 61 c0 04 01 62 c0 00'],
  ['an extended label', '41 61*65 00'],
  ['an unprintable label', '01 07 00'],
  ['a dot inside a label', '03 61 2e 62 00'],
  ['a name of 256 octets', '3f 61*63 3f 61*63 3f 61*63 3f 61*63 00'],
];

for (const [what, value] of BROKEN) {
  test(`${what} is no list of names`, () => assert.equal(decodeDomainList(parseHex(value)), undefined));
}

test('an absent option is undefined', () => assert.equal(decodeDomainList(undefined), undefined));

test('a list longer than one option can hold is read back whole', () => {
  const names = Array.from({ length: 40 }, (_, i) => `row${i}.of.racks.dc${i % 3}.example`);
  const value = encodeDomainList(names);
  assert.ok(value.length > 255);
  assert.deepEqual(decodeDomainList(value), names);
});

test('the same name twice, and a name that ends another, are pointers only', () => {
  const names = ['a.example', 'a.example', 'example'];
  assert.deepEqual(encodeDomainList(names), parseHex('01 61 07 65 78 61 6d 70 6c 65 00 c0 00 c0 02'));
  assert.deepEqual(decodeDomainList(encodeDomainList(names)), names);
});
