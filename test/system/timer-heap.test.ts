import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { TimerHeap } from '../../src/system/timer-heap.ts';

test('values come out in the order of their due times', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (dues) => {
      const heap = new TimerHeap<number>();
      for (const due of dues) heap.push(due, due);
      assert.equal(heap.size, dues.length);
      const popped = dues.map(() => heap.popDue(Infinity));
      assert.deepEqual(
        popped,
        dues.toSorted((a, b) => a - b),
      );
      assert.equal(heap.popDue(Infinity), undefined);
      assert.equal(heap.size, 0);
    }),
  );
});

test('pushing and popping in any order gives what a sorted list gives', () => {
  const step = fc.oneof(
    fc.nat(100).map((due) => ({ push: due })),
    fc.nat(100).map((now) => ({ pop: now })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new TimerHeap<number>();
      let model: number[] = [];
      for (const action of steps) {
        if ('push' in action) {
          heap.push(action.push, action.push);
          model = [...model, action.push].toSorted((a, b) => a - b);
        } else {
          const expected = model[0] !== undefined && model[0] <= action.pop ? model.shift() : undefined;
          assert.equal(heap.popDue(action.pop), expected);
        }
        assert.equal(heap.earliest, model[0]);
        assert.equal(heap.size, model.length);
      }
    }),
  );
});

test('a value is due at its time, not before', () => {
  const heap = new TimerHeap<string>();
  heap.push(10, 'ten');
  assert.equal(heap.popDue(9.999), undefined);
  assert.equal(heap.popDue(10), 'ten');
});

test('what is retained comes out in its order, the rest never', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (dues) => {
      const heap = new TimerHeap<number>();
      for (const due of dues) heap.push(due, due);
      heap.retain((due) => due % 2 === 0);
      const even = dues.filter((due) => due % 2 === 0).toSorted((a, b) => a - b);
      assert.equal(heap.size, even.length);
      assert.deepEqual(
        even.map(() => heap.popDue(Infinity)),
        even,
      );
    }),
  );
});
