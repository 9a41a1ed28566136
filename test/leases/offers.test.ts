import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Ip4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { Offers } from '../../src/leases/offers.ts';
import { address } from './lease-fixture.ts';

const MINUTE = 60_000;
const [ONE, TWO] = [address(1), address(2)];

test('an offer holds an address for a client until its time', () => {
  const offers = new Offers();
  assert.equal(offers.nextEnd, undefined);
  assert.equal(offers.offer(ONE, 'a', MINUTE), undefined);
  assert.deepEqual(offers.holder(ONE), { client: 'a', until: MINUTE });
  assert.equal(offers.of('a'), ONE);
  assert.equal(offers.of('b'), undefined);
  assert.equal(offers.nextEnd, MINUTE);
  assert.deepEqual(offers.takeEnded(MINUTE - 1), []);
  assert.deepEqual(offers.takeEnded(MINUTE), [ONE]);
  assert.equal(offers.holder(ONE), undefined);
  assert.equal(offers.of('a'), undefined);
  assert.deepEqual(offers.takeEnded(10 * MINUTE), []);
});

test('a client has one offer: another one frees the first and says so', () => {
  const offers = new Offers();
  offers.offer(ONE, 'a', MINUTE);
  assert.equal(offers.offer(TWO, 'a', MINUTE), ONE);
  assert.equal(offers.holder(ONE), undefined);
  assert.equal(offers.of('a'), TWO);
  assert.equal(offers.offer(TWO, 'a', 2 * MINUTE), undefined);
  assert.deepEqual(offers.takeEnded(MINUTE), []);
  assert.deepEqual(offers.takeEnded(2 * MINUTE), [TWO]);
});

test('an offer that was taken, or not, is released once', () => {
  const offers = new Offers();
  offers.offer(ONE, 'a', MINUTE);
  assert.equal(offers.release('a'), ONE);
  assert.equal(offers.release('a'), undefined);
  assert.equal(offers.holder(ONE), undefined);
  assert.deepEqual(offers.takeEnded(MINUTE), []);
});

test('the end of an earlier offer does not end the later one of the same address', () => {
  const offers = new Offers();
  offers.offer(ONE, 'a', MINUTE);
  offers.release('a');
  offers.offer(ONE, 'b', 1.5 * MINUTE);
  assert.deepEqual(offers.takeEnded(MINUTE), []);
  assert.equal(offers.of('b'), ONE);
  assert.deepEqual(offers.takeEnded(1.5 * MINUTE), [ONE]);
});

test('a quarantined address is nobody’s, and its client has no offer any more', () => {
  const offers = new Offers();
  offers.offer(ONE, 'a', MINUTE);
  offers.quarantine(ONE, 10 * MINUTE);
  assert.deepEqual(offers.holder(ONE), { client: undefined, until: 10 * MINUTE });
  assert.equal(offers.of('a'), undefined);
  assert.equal(offers.release('a'), undefined);
  assert.deepEqual(offers.takeEnded(9 * MINUTE), []);
  assert.deepEqual(offers.takeEnded(10 * MINUTE), [ONE]);
});

test('an address that passes to another client is not freed by the first one', () => {
  const offers = new Offers();
  offers.offer(ONE, 'a', MINUTE);
  offers.offer(ONE, 'b', MINUTE);
  assert.equal(offers.of('a'), undefined);
  assert.equal(offers.release('a'), undefined);
  assert.equal(offers.holder(ONE)?.client, 'b');
});

test('a client that repeats itself within a second costs nothing', () => {
  const offers = new Offers();
  for (let at = 0; at < 1000; at++) offers.offer(ONE, 'a', MINUTE + at);
  assert.deepEqual(offers.takeEnded(MINUTE), [ONE]);
  assert.equal(offers.nextEnd, undefined, 'one entry');
});

test('an address that others are seen with in turn costs nothing, and ends once', () => {
  const offers = new Offers();
  for (let user = 1; user <= 1000; user++) offers.quarantine(ONE, MINUTE, user as Mac);
  assert.equal(offers.holder(ONE)?.user, 1000);
  assert.deepEqual(offers.takeEnded(MINUTE), [ONE]);
  assert.equal(offers.nextEnd, undefined, 'one entry');
});

const CLIENTS = ['a', 'b', 'c'];
const anyStep = fc.record({
  do: fc.constantFrom('offer' as const, 'release' as const, 'quarantine' as const, 'elapse' as const),
  number: fc.nat(3),
  client: fc.constantFrom(...CLIENTS),
  milliseconds: fc.nat(5000),
});

type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** The same as a plain map of holds. */
class Model {
  readonly holds = new Map<Ip4, { readonly client: string | undefined; readonly until: number }>();
  now = 0;

  of(client: string): Ip4 | undefined {
    return [...this.holds].find(([, hold]) => hold.client === client)?.[0];
  }

  release(client: string): Ip4 | undefined {
    const held = this.of(client);
    if (held !== undefined) this.holds.delete(held);
    return held;
  }

  /** The same holder's time is never cut short. */
  hold(where: Ip4, client: string | undefined, until: number): void {
    const present = this.holds.get(where);
    const atLeast = present && present.client === client ? present.until : 0;
    this.holds.set(where, { client, until: Math.max(until, atLeast) });
  }
}

function take(offers: Offers, model: Model, { do: what, number, client, milliseconds }: Step): void {
  const [where, until] = [address(number), model.now + milliseconds];
  switch (what) {
    case 'release':
      assert.equal(offers.release(client), model.release(client));
      break;
    case 'offer': {
      const freed = model.of(client) === where ? undefined : model.release(client);
      assert.equal(offers.offer(where, client, until), freed);
      model.hold(where, client, until);
      break;
    }
    case 'quarantine':
      offers.quarantine(where, until);
      model.hold(where, undefined, until);
      break;
    case 'elapse':
      model.now += milliseconds;
      for (const ended of offers.takeEnded(model.now)) {
        // An extension of less than a second does not count
        assert.ok((model.holds.get(ended)?.until ?? Infinity) < model.now + 1000, 'ended too early, or twice');
        model.holds.delete(ended);
      }
      for (const hold of model.holds.values()) assert.ok(hold.until > model.now, 'held too long');
  }
}

test('offers agree with a plain map whatever happens to them', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
      const [offers, model] = [new Offers(), new Model()];
      for (const step of steps) {
        take(offers, model, step);
        for (const number of [0, 1, 2, 3]) {
          assert.equal(offers.holder(address(number))?.client, model.holds.get(address(number))?.client);
        }
        for (const client of CLIENTS) assert.equal(offers.of(client), model.of(client));
      }
    }),
    { numRuns: 500 },
  );
});
