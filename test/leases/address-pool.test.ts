import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { AddressPool } from '../../src/leases/address-pool.ts';
import { address } from './lease-fixture.ts';

const SIZE = 8;
const RANGE = { first: address(1), last: address(SIZE) };

/** A pool and the set that says what is taken, as leases and offers do. */
function poolOf(taken: readonly number[] = []): { pool: AddressPool; held: Set<Ip4>; take: () => number | undefined } {
  const held = new Set(taken.map(address));
  const pool = new AddressPool(RANGE, (candidate) => held.has(candidate));
  const take = (): number | undefined => {
    const found = pool.take();
    if (found === undefined) return undefined;
    held.add(found);
    return found - address(0);
  };
  return { pool, held, take };
}

test('addresses never used come first, in order, those in use passed over; then there is none', () => {
  const { take } = poolOf([1, 4, 8]);
  assert.deepEqual(Array.from({ length: 7 }, take), [2, 3, 5, 6, 7, undefined, undefined]);
});

test('those given back come after that, the longest idle first', () => {
  const { pool, held, take } = poolOf();
  for (let i = 1; i <= 3; i++) take();
  for (const number of [3, 1, 3, 2]) {
    held.delete(address(number));
    pool.giveBack(address(number));
  }
  assert.deepEqual(Array.from({ length: 9 }, take), [4, 5, 6, 7, 8, 1, 3, 2, undefined]);
});

test('an address wanted is had when it is free and in the range', () => {
  const { pool, held } = poolOf([3]);
  assert.equal(pool.takeWanted(address(5)), address(5));
  held.add(address(5));
  for (const number of [5, 3, 0, SIZE + 1]) assert.equal(pool.takeWanted(address(number)), undefined);
});

test('an address given back before its turn is had once', () => {
  const { pool, held, take } = poolOf();
  held.add(pool.takeWanted(address(2)) ?? toIp4(0));
  held.delete(address(2));
  pool.giveBack(address(2));
  assert.deepEqual(Array.from({ length: 9 }, take), [1, 3, 4, 5, 6, 7, 8, 2, undefined]);
});

test('an address idle but taken by other means is not given, and comes back when it is given back again', () => {
  const { pool, held, take } = poolOf();
  for (let i = 1; i <= SIZE; i++) take();
  held.delete(address(4));
  pool.giveBack(address(4));
  held.add(address(4));
  assert.equal(take(), undefined);
  held.delete(address(4));
  pool.giveBack(address(4));
  assert.equal(take(), 4);
});

test('an address outside the range is not taken in', () => {
  const { pool, take } = poolOf();
  for (const number of [0, SIZE + 1]) pool.giveBack(address(number));
  assert.deepEqual(Array.from({ length: 9 }, take), [1, 2, 3, 4, 5, 6, 7, 8, undefined]);
});

test('a range may end at the last address there is', () => {
  const pool = new AddressPool({ first: toIp4(-2), last: toIp4(-1) }, () => false);
  assert.deepEqual([pool.take(), pool.take(), pool.take()], [0xfffffffe, 0xffffffff, undefined]);
});

test('taking from a full range of any size looks at no address twice', () => {
  let looks = 0;
  const pool = new AddressPool({ first: address(0), last: address(9_999) }, () => (looks++, true));
  for (let i = 0; i < 100; i++) assert.equal(pool.take(), undefined);
  assert.equal(looks, 10_000);
});

type Step = { readonly do: 'take' } | { readonly do: 'want' | 'free' | 'seize'; readonly number: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: 'take' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('want' as const, 'free' as const, 'seize' as const),
      number: fc.integer({ min: 0, max: SIZE + 1 }),
    }),
  },
);

test('whatever happens, no address is given to two and none gets lost', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      const { pool, held, take } = poolOf();
      const give = (found: Ip4 | undefined): void => {
        if (found === undefined) return;
        assert.ok(!held.has(found), 'given to two');
        assert.ok(found >= RANGE.first && found <= RANGE.last);
        held.add(found);
      };
      for (const step of steps) {
        if (step.do === 'take') give(pool.take());
        else if (step.do === 'want') give(pool.takeWanted(address(step.number)));
        // Taken without asking the pool, as by a lease that comes with a new Plan
        else if (step.do === 'seize') held.add(address(step.number));
        else if (held.delete(address(step.number))) pool.giveBack(address(step.number));
      }
      const inRange = [...held].filter((one) => one >= RANGE.first && one <= RANGE.last).length;
      for (let i = inRange; i < SIZE; i++) assert.notEqual(take(), undefined, 'one is lost');
      assert.equal(take(), undefined);
    }),
    { numRuns: 500 },
  );
});
