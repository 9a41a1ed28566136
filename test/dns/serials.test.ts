import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Serials } from '../../src/dns/serials.ts';

test('serials follow the clock, and rise when it stands still or goes back', () => {
  let seconds = 1000;
  const serials = new Serials({ now: () => seconds * 1000 + 999, monotonic: () => 0 });
  const given = [1000, 1000, 1000, 2000, 500].map((now) => {
    seconds = now;
    return serials.next();
  });
  assert.deepEqual(given, [1000, 1001, 1002, 2000, 2001]);
});
