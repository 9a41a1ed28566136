import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SliceQueue } from '../../src/dns/slice-queue.ts';
import type { Slices } from '../../src/dns/slices.ts';
import { HandTime } from '../dhcp/hand-time.ts';

/** A queue whose every step takes a millisecond, and each look at the clock `look`, and what it did. */
function ground({ look = 0 } = {}) {
  const [time, steps]: [HandTime, string[]] = [new HandTime(), []];
  let spent = 0;
  const clock = { now: () => 0, monotonic: () => time.monotonic() + (spent += look) };
  const queue = new SliceQueue({ loop: time, clock });
  const work = function* (name: string, count: number): Slices<string> {
    for (let n = 1; ; n++) {
      spent++;
      steps.push(`${name}${n}`);
      if (n === count) return name;
      yield;
    }
  };
  const turn = (): string[] => {
    time.pass(0, 'milliseconds');
    return steps.splice(0);
  };
  return { queue, work, steps, turn };
}

test('work of many is done one after the other, all of it in one share of each turn', () => {
  const { queue, work, steps, turn } = ground();
  for (const name of ['a', 'b', 'c']) queue.run(work(name, 2), (done) => void steps.push(`${done} done`));
  assert.deepEqual(steps.splice(0), ['a1', 'a2', 'a done', 'b1']);
  assert.deepEqual([turn(), turn()], [['b2', 'b done', 'c1', 'c2', 'c done'], []]);
});

test('what a job has done when it ends comes behind the others, and may be given up', () => {
  const { queue, work, steps, turn } = ground();
  queue.run(work('a', 1), () => void queue.run(work('late', 1), () => {}));
  const giveUp = queue.run(work('b', 9), () => assert.fail('it was given up'));
  assert.deepEqual(steps.splice(0), ['a1', 'late1', 'b1']);
  giveUp();
  queue.run(work('c', 1), () => {});
  assert.deepEqual([turn(), turn()], [['c1'], []]);
});

test('nothing more is done once it is closed', () => {
  const { queue, work, steps, turn } = ground();
  queue.run(work('a', 9), () => assert.fail('it was closed'));
  steps.length = 0;
  queue.close();
  assert.deepEqual(turn(), []);
});

test('each turn does a step, even where its share is over before it began', () => {
  const { queue, work, steps, turn } = ground({ look: 100 });
  queue.run(work('a', 3), () => {});
  assert.deepEqual([steps.splice(0), turn(), turn()], [['a1'], ['a2', 'a3'], []]);
});
