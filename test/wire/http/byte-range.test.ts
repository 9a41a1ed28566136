import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { selectRanges } from '../../../src/wire/http/byte-range.ts';

/** `undefined`: the whole file; `[]`: no such range; otherwise first and last byte of each part. */
type Wanted = readonly (readonly [number, number])[] | undefined;

function select(header: string | undefined, size: number): Wanted {
  const ranges = selectRanges(header, size);
  if (ranges.kind === 'whole') return undefined;
  return ranges.kind === 'unsatisfiable' ? [] : ranges.parts.map(({ first, last }) => [first, last] as const);
}

const WHOLE = undefined;
const OF_TEN_BYTES: readonly (readonly [string | undefined, Wanted])[] = [
  [undefined, WHOLE],
  ['', WHOLE],
  ['bytes=0-0', [[0, 0]]],
  ['bytes=0-9', [[0, 9]]],
  ['bytes=3-5', [[3, 5]]],
  ['BYTES=3-5', [[3, 5]]],
  ['bytes= 3-5 ', [[3, 5]]],
  ['bytes=3-', [[3, 9]]],
  ['bytes=9-', [[9, 9]]],
  ['bytes=3-999', [[3, 9]]],
  ['bytes=-1', [[9, 9]]],
  ['bytes=-10', [[0, 9]]],
  ['bytes=-999', [[0, 9]]],
  ['bytes=10-', []],
  ['bytes=10-20', []],
  ['bytes=99999999999999999999999-', []],
  ['bytes=-0', []],
  ['bytes=5-3', WHOLE],
  ['bytes=-', WHOLE],
  ['bytes=', WHOLE],
  ['bytes=,', WHOLE],
  ['bytes=a-b', WHOLE],
  ['bytes=0-1,x', WHOLE],
  ['bytes=0-1,', [[0, 1]]],
  ['bytes=0-1,10-', [[0, 1]]],
  ['bytes=10-,11-', []],
  ['lines=0-1', WHOLE],
  ['bytes=0x1-2', WHOLE],
  ['bytes=--1', WHOLE],
  ['bytes 0-1', WHOLE],
];

describe('the range of ten bytes', () => {
  for (const [header, expected] of OF_TEN_BYTES) {
    it(`that ${JSON.stringify(header)} asks for is ${JSON.stringify(expected) ?? 'the whole'}`, () => {
      assert.deepEqual(select(header, 10), expected);
    });
  }
});

const OF_A_THOUSAND: readonly (readonly [string, string, Wanted])[] = [
  [
    'several come in the order they were asked for',
    'bytes=900-909, 0-9 ,\t500-500',
    [
      [900, 909],
      [0, 9],
      [500, 500],
    ],
  ],
  ['those that overlap are made one', 'bytes=0-99,50-149', [[0, 149]]],
  ['those that touch are made one', 'bytes=100-199,0-99', [[0, 199]]],
  ['what the head of a part would cost is sent for nothing instead', 'bytes=0-9,60-69', [[0, 69]]],
  ['the file again and again is the file once', 'bytes=0-,0-,0-,0-', [[0, 999]]],
  [
    'up to sixteen are served',
    `bytes=${spaced(10, 100)}`,
    Array.from({ length: 10 }, (_, i) => [i * 100, i * 100] as const),
  ],
  ['seventeen are not: the whole file is the answer', `bytes=${spaced(17, 1)}`, WHOLE],
  ['a hundred thousand are not read at all', `bytes=${'0-0,'.repeat(100_000)}`, WHOLE],
];

function spaced(count: number, step: number): string {
  return Array.from({ length: count }, (_, i) => `${i * step}-${i * step}`).join(',');
}

describe('of several ranges', () => {
  for (const [title, header, expected] of OF_A_THOUSAND) {
    it(title, () => assert.deepEqual(select(header, 1000), expected));
  }
});

describe('the range of an empty file', () => {
  for (const [header, expected] of [
    [undefined, WHOLE],
    ['bytes=0-', []],
    ['bytes=-1', []],
  ] as const) {
    it(`that ${JSON.stringify(header)} asks for is ${expected === WHOLE ? 'the whole' : 'none'}`, () => {
      assert.deepEqual(select(header, 0), expected);
    });
  }
});
