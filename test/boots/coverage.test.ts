import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { cover, isWhole, type Coverage } from '../../src/boots/coverage.ts';

test('spans cover a file when every byte is in one of them, in whatever order they came', () => {
  const span = fc.tuple(fc.nat(19), fc.nat(19)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), (spans) => {
      const sent = new Set<number>();
      let coverage: Coverage | undefined;
      for (const [first, last] of spans) {
        coverage = cover(coverage, 20, first, last);
        for (let byte = first; byte <= last; byte++) sent.add(byte);
      }
      assert.equal(isWhole(coverage), sent.size === 20);
    }),
  );
});

test('a file that has another size now is sent anew, an empty one is whole once it was sent', () => {
  assert.equal(isWhole(cover(cover(undefined, 20, 0, 9), 21, 10, 20)), false);
  assert.equal(isWhole(cover(undefined, 0, 0, -1)), true);
  assert.equal(isWhole(undefined), false);
});

test('a client that asks for every second byte costs no more memory for it', () => {
  let coverage: Coverage | undefined;
  for (let byte = 0; byte < 2_000; byte += 2) coverage = cover(coverage, 2_000, byte, byte);
  assert.equal(coverage?.spans.length, 256);
});
