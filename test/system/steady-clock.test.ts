import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SteadyClock } from '../../src/system/steady-clock.ts';

function rig(): { time: { wall: number; elapsed: number }; clock: SteadyClock } {
  const time = { wall: 1_000_000_000_000, elapsed: 5_000 };
  return { time, clock: new SteadyClock({ now: () => time.wall, monotonic: () => time.elapsed }) };
}

test('it goes on as before when the wall clock is set, until it follows', () => {
  const { time, clock } = rig();
  time.elapsed += 10_000;
  time.wall += 10_000 + 3_600_500;
  assert.equal(clock.now(), 1_000_000_010_000);
  assert.equal(clock.follow(), 3600);
  assert.equal(clock.now(), 1_000_003_610_000);
  assert.equal(clock.follow(), 0);
});

test('it follows back as well', () => {
  const { time, clock } = rig();
  time.wall -= 86_400_000;
  assert.equal(clock.follow(), -86_400);
  assert.equal(clock.now(), time.wall);
});

test('less than two seconds is no jump, be it in either direction', () => {
  const { time, clock } = rig();
  for (const away of [1_999, -1_999]) {
    time.wall = 1_000_000_000_000 + away;
    assert.equal(clock.follow(), 0);
    assert.equal(clock.now(), 1_000_000_000_000);
  }
});
