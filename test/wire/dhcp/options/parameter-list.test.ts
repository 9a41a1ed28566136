import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeParameterList, encodeParameterList } from '../../../../src/wire/dhcp/options/parameter-list.ts';
import { parseHex } from '../../../fixtures/hex.ts';

test('the codes keep the order of the client', () => {
  assert.deepEqual(decodeParameterList(parseHex('03 01 06')), Uint8Array.of(3, 1, 6));
  assert.deepEqual(encodeParameterList([3, 1, 6]), parseHex('03 01 06'));
});

test('an empty list and an absent one are undefined', () => {
  assert.deepEqual([decodeParameterList(parseHex('')), decodeParameterList(undefined)], [undefined, undefined]);
});
