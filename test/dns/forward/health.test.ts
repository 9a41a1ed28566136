import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Health } from '../../../src/dns/forward/health.ts';

test('a burst of silences is no death; one that goes on for a second is, and no sooner than the third', () => {
  const health = new Health();
  assert.deepEqual(
    [5000, 5001, 5002, 5999, 6000].map((now) => health.missed(now, false)),
    [false, false, false, false, true],
  );
  const rare = new Health();
  assert.deepEqual(
    [5000, 9000, 13_000].map((now) => rare.missed(now, false)),
    [false, false, true],
  );
});

test('an answer between two silences begins the count anew', () => {
  const health = new Health();
  for (const now of [0, 500, 900]) health.missed(now, false);
  health.heard(950);
  assert.deepEqual(
    [1000, 1900, 1999, 2000].map((now) => health.missed(now, false)),
    [false, false, false, true],
  );
});

test('where the network says that nobody is there, the second time is death', () => {
  const health = new Health();
  assert.deepEqual([health.missed(0, true), health.missed(1, true)], [false, true]);
});
