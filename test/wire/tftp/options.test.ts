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
