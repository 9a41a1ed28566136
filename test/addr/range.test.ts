import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { toIp4 } from '../../src/addr/ip4.ts';
import { formatRange, parseRange, rangeContains, rangesOverlap, rangeSize } from '../../src/addr/range.ts';

const GOOD: readonly (readonly [text: string, written: string, size: number])[] = [
  ['192.0.2.10-192.0.2.20', '192.0.2.10-192.0.2.20', 11],
  ['192.0.2.10 - 192.0.2.20', '192.0.2.10-192.0.2.20', 11],
  ['192.0.2.10-192.0.2.10', '192.0.2.10-192.0.2.10', 1],
  ['127.255.255.255-128.0.0.0', '127.255.255.255-128.0.0.0', 2],
  ['0.0.0.0-255.255.255.255', '0.0.0.0-255.255.255.255', 2 ** 32],
];

for (const [text, written, size] of GOOD) {
  test(`${text} holds ${size} addresses`, () => {
    const range = parseRange(text);
    assert.ok(range);
    assert.equal(formatRange(range), written);
    assert.equal(rangeSize(range), size);
  });
}

const BAD = [
  '',
  '-',
  '192.0.2.1',
  '192.0.2.20-192.0.2.10',
  '192.0.2.1-192.0.2.2-192.0.2.3',
  '192.0.2.1-20',
  '192.0.2.1–192.0.2.2',
];

for (const text of BAD) {
  test(`${JSON.stringify(text)} is no range`, () => assert.equal(parseRange(text), undefined));
}

const anyRange = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 0xffffffff }))
  .map(([a, b]) => ({ first: toIp4(Math.min(a, b)), last: toIp4(Math.max(a, b)) }));

test('every range survives text and holds both its ends', () => {
  fc.assert(
    fc.property(anyRange, (range) => {
      assert.deepEqual(parseRange(formatRange(range)), range);
      assert.ok(rangeContains(range, range.first) && rangeContains(range, range.last));
      assert.equal(rangeContains(range, toIp4(range.first - 1)), range.first === 0 && range.last === 0xffffffff);
    }),
  );
});

test('two ranges overlap when one holds the first address of the other', () => {
  fc.assert(
    fc.property(anyRange, anyRange, (a, b) => {
      const overlap = rangeContains(a, b.first) || rangeContains(b, a.first);
      assert.equal(rangesOverlap(a, b), overlap);
      assert.equal(rangesOverlap(b, a), overlap);
    }),
  );
});
