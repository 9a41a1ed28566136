import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventBudget, ORDINARY, rateOf, TROUBLE } from '../../src/service/event-budget.ts';

test('a burst of a whole rack passes, a flood is cut and counted, and time brings more', () => {
  let now = 0;
  const budget = new EventBudget({ now: () => 0, monotonic: () => now }, ORDINARY);
  const take = (times: number): number => Array.from({ length: times }, () => budget.take()).filter(Boolean).length;
  assert.equal(take(50_000), 20_000);
  assert.equal(budget.dropped, 30_000);
  now += 500;
  assert.equal(take(5_000), 1_000);
  now += 3_600_000;
  assert.equal(take(50_000), 20_000);
});

test('refusals and failures have a smaller budget of their own', () => {
  for (const kind of [
    'tftp.refused',
    'http.refused',
    'tftp.failed',
    'dhcp.ignored',
    'dhcp.nak',
    'dhcp.conflict',
  ] as const) {
    assert.equal(rateOf(kind), TROUBLE, kind);
  }
  for (const kind of ['dhcp.ack', 'tftp.sent', 'machine.report'] as const) assert.equal(rateOf(kind), ORDINARY, kind);
});
