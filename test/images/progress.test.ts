import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ProgressTracker, type ImportProgress } from '../../src/images/progress.ts';

test('it tells how far each file and the whole are, at which rate, and how long it will take', () => {
  let now = 0;
  const told: ImportProgress[] = [];
  const tracker = new ProgressTracker({ monotonic: () => now }, (progress) => told.push(progress));
  tracker.reading('maas');
  tracker.fetching(10_000_000);
  tracker.began('a', 'noble squashfs', 8_000_000);
  tracker.bytes('a', 1_000_000, false);
  for (let i = 0; i < 4; i++) {
    tracker.bytes('a', 500_000, true);
    now += 500;
  }
  assert.deepEqual(told[0], { phase: 'reading', source: 'maas', files: [], done: 0, total: 0, rate: 0 });
  assert.deepEqual(tracker.now(), {
    phase: 'fetching',
    files: [{ name: 'noble squashfs', done: 3_000_000, size: 8_000_000 }],
    done: 3_000_000,
    total: 10_000_000,
    rate: 1_000_000,
    secondsLeft: 7,
  });
  tracker.ended('a');
  assert.deepEqual(tracker.now().files, []);
});

test('it tells a few times a second, however many blocks come', () => {
  let now = 0;
  let told = 0;
  const tracker = new ProgressTracker({ monotonic: () => now }, () => told++);
  for (; now < 1_000; now++) tracker.bytes('a', 1, true);
  assert.equal(told, 4);
});
