import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeU16,
  decodeU16List,
  decodeU8,
  encodeU16,
  encodeU16List,
  encodeU8,
} from '../../../../src/wire/dhcp/options/integer.ts';
import { parseHex } from '../../../fixtures/hex.ts';

test('one byte is a number, none or two are not', () => {
  assert.deepEqual(
    [decodeU8(parseHex('ff')), decodeU8(parseHex('')), decodeU8(parseHex('00 01'))],
    [255, undefined, undefined],
  );
  assert.deepEqual(encodeU8(3), parseHex('03'));
});

test('two bytes are a number, high one first; one or three are not', () => {
  assert.deepEqual(
    [decodeU16(parseHex('05 c0')), decodeU16(parseHex('05')), decodeU16(parseHex('00*3'))],
    [1472, undefined, undefined],
  );
  assert.deepEqual(encodeU16(1472), parseHex('05 c0'));
});

test('a client may name several architectures', () => {
  const value = parseHex('00 07 00 10 ff ff');
  assert.deepEqual(decodeU16List(value), [7, 16, 65_535]);
  assert.deepEqual(encodeU16List([7, 16, 65_535]), value);
});

test('no number and half a number are no list', () => {
  assert.deepEqual([parseHex(''), parseHex('00'), parseHex('00*3')].map(decodeU16List), Array(3).fill(undefined));
});

test('an absent option is undefined', () => {
  assert.deepEqual([decodeU8(undefined), decodeU16(undefined), decodeU16List(undefined)], Array(3).fill(undefined));
});
