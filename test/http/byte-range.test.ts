import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { selectRange, type ByteRange } from '../../src/http/byte-range.ts';

const WHOLE: ByteRange = { kind: 'whole' };
const UNSATISFIABLE: ByteRange = { kind: 'unsatisfiable' };
const part = (first: number, last: number): ByteRange => ({ kind: 'part', first, last });

const OF_TEN_BYTES: readonly (readonly [string | undefined, ByteRange])[] = [
  [undefined, WHOLE],
  ['', WHOLE],
  ['bytes=0-0', part(0, 0)],
  ['bytes=0-9', part(0, 9)],
  ['bytes=3-5', part(3, 5)],
  ['BYTES=3-5', part(3, 5)],
  ['bytes= 3-5 ', part(3, 5)],
  ['bytes=3-', part(3, 9)],
  ['bytes=9-', part(9, 9)],
  ['bytes=3-999', part(3, 9)],
  ['bytes=-1', part(9, 9)],
  ['bytes=-10', part(0, 9)],
  ['bytes=-999', part(0, 9)],
  ['bytes=10-', UNSATISFIABLE],
  ['bytes=10-20', UNSATISFIABLE],
  ['bytes=99999999999999999999999-', UNSATISFIABLE],
  ['bytes=-0', UNSATISFIABLE],
  ['bytes=5-3', WHOLE],
  ['bytes=-', WHOLE],
  ['bytes=', WHOLE],
  ['bytes=a-b', WHOLE],
  ['bytes=0-1,3-4', WHOLE],
  ['bytes=0-1,', WHOLE],
  ['lines=0-1', WHOLE],
  ['bytes=0x1-2', WHOLE],
  ['bytes=--1', WHOLE],
];

describe('the range of ten bytes', () => {
  for (const [header, expected] of OF_TEN_BYTES) {
    it(`that ${JSON.stringify(header)} asks for is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(selectRange(header, 10), expected);
    });
  }
});

describe('the range of an empty file', () => {
  for (const [header, expected] of [
    [undefined, WHOLE],
    ['bytes=0-', UNSATISFIABLE],
    ['bytes=-1', UNSATISFIABLE],
  ] as const) {
    it(`that ${JSON.stringify(header)} asks for is ${expected.kind}`, () => {
      assert.deepEqual(selectRange(header, 0), expected);
    });
  }
});
