import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { test } from 'node:test';

import type { Clock } from '../../src/system/clock.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { Wake } from '../../src/system/wake.ts';

const libc = loadLibc();
const STILL: Clock = { now: () => 0, monotonic: () => 0 };

test('any number of rings is one call, and silence ends it', () => {
  const wake = new Wake(libc);
  const bell = new Wake(libc, wake.fd);
  const loop = new PollLoop(libc, STILL);
  let rung = 0;
  loop.watch(wake.fd, () => {
    rung++;
    wake.silence();
    // Nothing waits any more: were the descriptor still readable, it would be called before the next ring is heard
    if (rung === 1) bell.ring();
    else loop.stop();
  });
  for (let i = 0; i < 5; i++) bell.ring();
  loop.run();
  assert.equal(rung, 2);
  loop.close();
  wake.close();
});

test('silence without a ring returns at once', () => {
  const wake = new Wake(libc);
  wake.silence();
  wake.close();
});

test('a closed wake has given its descriptor back', () => {
  const wake = new Wake(libc);
  assert.ok(fstatSync(wake.fd));
  wake.close();
  assert.throws(() => fstatSync(wake.fd), { code: 'EBADF' });
});
