import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as forAll, integer, maxSafeNat, property, record } from 'fast-check';
import { optionWords, readOptions, type TftpOptions } from '../../../src/wire/tftp/options.ts';

const anyOptions = record(
  {
    blksize: integer({ min: 8, max: 65464 }),
    timeout: integer({ min: 1, max: 255 }),
    tsize: maxSafeNat(),
    windowsize: integer({ min: 1, max: 65535 }),
  },
  { requiredKeys: [] },
);

test('options that were written are read back', () => {
  forAll(
    property(anyOptions, (options) => {
      assert.deepEqual(readOptions(optionWords(options as TftpOptions)), { ...options });
    }),
  );
});

test('a name without a value at the end is left out', () => {
  assert.deepEqual(readOptions(['tsize', '0', 'blksize']), { tsize: 0 });
});

test('an unknown name does not hide the known one behind it', () => {
  assert.deepEqual(readOptions(['__proto__', '7', 'toString', '7', 'timeout', '7']), { timeout: 7 });
});

test('a value out of its limits gives way to a good one behind it', () => {
  assert.deepEqual(readOptions(['blksize', '7', 'blksize', '8']), { blksize: 8 });
});

const READINGS: readonly (readonly [title: string, words: readonly string[], options: TftpOptions])[] = [
  [
    'names in any case',
    ['BLKSIZE', '1468', 'TSize', '0', 'WindowSize', '4'],
    { blksize: 1468, tsize: 0, windowsize: 4 },
  ],
  ['the first of two', ['blksize', '1024', 'BLKSIZE', '512'], { blksize: 1024 }],
  ['leading zeros', ['blksize', '0001468'], { blksize: 1468 }],
  ['a block larger than any is the largest', ['blksize', '65536'], { blksize: 65464 }],
  ['a window larger than any is the largest', ['windowsize', '70000'], { windowsize: 65535 }],
  ['a block too small to be one is left out', ['blksize', '7'], {}],
  ['a window of no block is left out', ['windowsize', '0'], {}],
  ['a timeout of no second is left out', ['timeout', '0'], {}],
  ['a timeout beyond a byte is left out, as it may not be made smaller', ['timeout', '256'], {}],
  ['a number that is none is left out', ['blksize', '1468.5', 'tsize', '-1', 'timeout', '0x5', 'windowsize', ' 4'], {}],
  ['an empty number is left out', ['tsize', '', 'blksize', ''], {}],
  ['a number too long to be one is left out', ['tsize', '00000000000000000'], {}],
  [
    "atftp's multicast, tftp-hpa's others, Microsoft's window",
    ['multicast', '', 'utimeout', '5', 'blksize2', '8', 'rollover', '0', 'msftwindow', '31416', 'tsize', '0'],
    { tsize: 0 },
  ],
];

for (const [title, words, options] of READINGS) {
  test(`of a request: ${title}`, () => assert.deepEqual(readOptions(words), options));
}
