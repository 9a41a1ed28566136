import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventBudget } from '../../src/service/event-budget.ts';

test('a burst of a whole rack passes, a flood is cut and counted, and time brings more', () => {
  let now = 0;
  const budget = new EventBudget({ now: () => 0, monotonic: () => now });
  const take = (times: number): number => Array.from({ length: times }, () => budget.take()).filter(Boolean).length;
  assert.equal(take(50_000), 20_000);
  assert.equal(budget.dropped, 30_000);
  now += 500;
  assert.equal(take(5_000), 1_000);
  now += 3_600_000;
  assert.equal(take(50_000), 20_000);
});
