import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Pace } from '../../src/images/pace.ts';

test('who takes more than the cap allows waits until it is paid for, whoever took it', () => {
  let now = 10_000;
  const pace = new Pace({ monotonic: () => now }, 1_000_000);
  assert.equal(pace.take(250_000), 0);
  assert.equal(pace.take(500_000), 500);
  assert.equal(pace.take(500_000), 1_000);
  now += 1_000;
  assert.equal(pace.take(100_000), 100);
});

test('a pause is not saved up for long', () => {
  let now = 0;
  const pace = new Pace({ monotonic: () => now }, 1_000_000);
  now += 3_600_000;
  assert.equal(pace.take(250_000), 0);
  assert.equal(pace.take(1_000_000), 1_000);
});

test('without a cap nobody waits', () => {
  assert.equal(new Pace({ monotonic: () => 0 }, undefined).take(1e12), 0);
});
