import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventShare, type Verdict } from '../../src/timeline/event-share.ts';
import { event, NODE1, NODE2 } from './event-fixture.ts';

class Bench {
  time = 0;
  readonly share = new EventShare({ monotonic: () => this.time }, (mac) => mac === NODE1 || mac === NODE2);

  /** What becomes of so many events of one machine at once. */
  tell(count: number, mac = NODE1): Partial<Record<Verdict, number>> {
    const verdicts: Partial<Record<Verdict, number>> = {};
    for (let n = 0; n < count; n++) {
      const verdict = this.share.weigh(event(this.time, mac));
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    }
    return verdicts;
  }
}

test('of a machine that tells too much the first part is kept, and that it is cut is told once', () => {
  const bench = new Bench();
  assert.deepEqual(bench.tell(5_000), { kept: 2_000, cut: 1, 'left out': 2_999 });
  assert.deepEqual(bench.tell(50, NODE2), { kept: 50 });
});

test('a machine that goes on and on is kept of once in ten seconds', () => {
  const bench = new Bench();
  bench.tell(5_000);
  const kept: number[] = [];
  for (let second = 0; second < 600; second++) {
    bench.time += 1_000;
    kept.push(bench.tell(100)['kept'] ?? 0);
  }
  assert.equal(
    kept.reduce((sum, each) => sum + each, 0),
    60,
  );
});

test('one that was quiet for long is told of anew when it is cut again', () => {
  const bench = new Bench();
  bench.tell(5_000);
  bench.time += 6 * 3_600_000;
  assert.deepEqual(bench.tell(5_000), { kept: 2_000, cut: 1, 'left out': 2_999 });
});

test('made-up MACs share what strangers may tell', () => {
  const bench = new Bench();
  const verdicts = Array.from({ length: 100_000 }, (_, n) => bench.share.weigh(event(0, `02:00:00:00:00:${n}`)));
  assert.equal(verdicts.filter((verdict) => verdict === 'kept').length, 10_000);
  assert.equal(verdicts.filter((verdict) => verdict === 'cut').length, 1);
  assert.deepEqual(bench.tell(50), { kept: 50 });
});

test('what the rack itself tells, and what is told once, is kept whatever else there is', () => {
  const bench = new Bench();
  bench.tell(5_000);
  const began = { kind: 'conflict.began', interface: 'eth0', conflict: 'squatted', source: 'watch' } as const;
  assert.equal(bench.share.weigh({ ...began, at: 0, mac: NODE1 }), 'kept');
  const held = { kind: 'boot.armed', entry: 'a', because: 'reset', source: 'rack' } as const;
  assert.equal(bench.share.weigh({ ...held, at: 0, mac: NODE1 }), 'kept');
  assert.equal(bench.share.weigh(event(0)), 'kept');
});
