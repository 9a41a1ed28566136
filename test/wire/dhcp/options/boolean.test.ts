import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBoolean, encodeBoolean } from '../../../../src/wire/dhcp/options/boolean.ts';
import { parseHex } from '../../../fixtures/hex.ts';

const READ: readonly [string, boolean | undefined][] = [
  ['00', false],
  ['01', true],
  ['02', undefined],
  ['ff', undefined],
  ['', undefined],
  ['01 00', undefined],
];

for (const [value, isOn] of READ) {
  test(`"${value}" reads as ${isOn}`, () => assert.equal(decodeBoolean(parseHex(value)), isOn));
}

test('an absent option is undefined', () => assert.equal(decodeBoolean(undefined), undefined));

test('on is 1 and off is 0', () => {
  assert.deepEqual([encodeBoolean(true), encodeBoolean(false)], [parseHex('01'), parseHex('00')]);
});
