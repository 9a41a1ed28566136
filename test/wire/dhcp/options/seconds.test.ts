import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSeconds, encodeSeconds, FOREVER } from '../../../../src/wire/dhcp/options/seconds.ts';
import { parseHex } from '../../../fixtures/hex.ts';

const TIMES: readonly [number, string][] = [
  [0, '00 00 00 00'],
  [43_200, '00 00 a8 c0'],
  [0x80000000, '80 00 00 00'],
  [FOREVER, 'ff ff ff ff'],
];

for (const [seconds, value] of TIMES) {
  test(`${seconds} s is ${value}`, () => {
    assert.equal(decodeSeconds(parseHex(value)), seconds);
    assert.deepEqual(encodeSeconds(seconds), parseHex(value));
  });
}

test('any other length is no time', () => {
  assert.deepEqual(
    [undefined, parseHex(''), parseHex('00*3'), parseHex('00*5')].map(decodeSeconds),
    Array(4).fill(undefined),
  );
});
