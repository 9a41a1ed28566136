import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DhcpOptions,
  findOptions,
  NO_OPTIONS,
  writeOption,
  writeOptions,
} from '../../../src/wire/dhcp/dhcp-options.ts';
import { parseHex } from '../../fixtures/hex.ts';

test('an option that is not there is undefined, and has says so', () => {
  const options = read('35 01 01');
  assert.deepEqual([options.get(12), options.has(12), options.has(53)], [undefined, false, true]);
  assert.deepEqual([NO_OPTIONS.get(53), [...NO_OPTIONS]], [undefined, []]);
});

test('neither Pad nor End can be got', () => {
  const options = read('00 35 01 01 00 ff');
  assert.deepEqual([options.has(0), options.has(255)], [false, false]);
});

test('values are not taken for codes', () => {
  assert.equal(read('0c 02 35 01').has(0x35), false);
});

test('an option in pieces is iterated once, whole, at its first turn', () => {
  const found = [...read('43 01 61 35 01 01 43 01 62')].map(({ code, value }) => [code, [...value]]);
  assert.deepEqual(found, [
    [67, [0x61, 0x62]],
    [53, [1]],
  ]);
});

test('only what lies between start and end is read', () => {
  const bytes = parseHex('35 01 01  0c 01 61  0f 01 62');
  const places: number[] = [];
  findOptions(bytes, 3, 6, places);
  assert.deepEqual(places, [3]);
});

test('an option that ends past the end is a WireError though bytes follow', () => {
  assert.throws(() => findOptions(parseHex('0c 02 61 62'), 0, 3, []), {
    name: 'WireError',
    message: /expects 2 bytes, found 1/,
  });
});

test('writing returns where the options end and touches nothing beyond', () => {
  const into = new Uint8Array(10).fill(0xaa);
  const end = writeOptions(
    [
      { code: 53, value: Uint8Array.of(2) },
      { code: 80, value: new Uint8Array(0) },
    ],
    into,
    1,
    10,
  );
  assert.equal(end, 6);
  assert.equal(Buffer.from(into).toString('hex'), 'aa3501025000aaaaaaaa');
});

test('a number that is no byte is not an option code', () => {
  for (const code of [-1, 256, Number.NaN]) {
    assert.throws(() => writeOption({ code, value: Uint8Array.of(1) }, new Uint8Array(10), 0, 10), {
      name: 'WireError',
    });
  }
});

function read(hex: string): DhcpOptions {
  const bytes = parseHex(hex);
  const places: number[] = [];
  findOptions(bytes, 0, bytes.length, places);
  return new DhcpOptions(bytes, places);
}
