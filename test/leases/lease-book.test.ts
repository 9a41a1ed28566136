import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import * as fc from 'fast-check';

import { LeaseBook } from '../../src/leases/lease-book.ts';
import type { Lease } from '../../src/leases/lease.ts';
import { TimerHeap } from '../../src/system/timer-heap.ts';
import { address, lease, MemoryStore } from './lease-fixture.ts';

const CLIENTS = ['a', 'b', 'c'];

/** All that can be seen of a book without changing it. */
function sightOf(book: LeaseBook): unknown {
  return {
    size: book.size,
    all: [...book.all()].toSorted((a, b) => a.address - b.address),
    of: CLIENTS.map((client) => [...book.of(client)]),
  };
}

test('a book begins with what the store has', () => {
  const book = new LeaseBook(new MemoryStore([lease(1, 'a', 100), lease(2, 'a', 50), lease(3, 'b', 100)]));
  assert.equal(book.size, 3);
  assert.deepEqual(book.at(address(2)), lease(2, 'a', 50));
  assert.deepEqual(book.of('a'), [lease(1, 'a', 100), lease(2, 'a', 50)]);
  assert.deepEqual(book.of('nobody'), []);
  assert.equal(book.at(address(9)), undefined);
});

test('a lease is written once per commit, as it is last', () => {
  const store = new MemoryStore();
  const book = new LeaseBook(store);
  book.put(lease(1, 'a', 100));
  book.put(lease(1, 'a', 200));
  book.put(lease(2, 'b', 100));
  assert.deepEqual(store.written, []);
  book.commit();
  book.commit();
  assert.deepEqual(store.written, [[lease(1, 'a', 200), lease(2, 'b', 100)]]);
});

test('an address that goes to another client leaves the first one', () => {
  const book = new LeaseBook(new MemoryStore([lease(1, 'a', 10), lease(2, 'a', 10)]));
  book.put(lease(1, 'b', 100));
  assert.deepEqual(book.of('a'), [lease(2, 'a', 10)]);
  assert.deepEqual(book.of('b'), [lease(1, 'b', 100)]);
  assert.equal(book.size, 2);
});

test('a client that renews keeps the order of its addresses', () => {
  const book = new LeaseBook(new MemoryStore([lease(1, 'a', 10), lease(2, 'a', 10)]));
  book.put(lease(1, 'a', 100));
  assert.deepEqual(
    book.of('a').map((found) => found.address),
    [address(1), address(2)],
  );
});

test('a commit that fails undoes the renewal, the new lease and the take-over, and the next one writes none of them', () => {
  const store = new MemoryStore([lease(1, 'a', 10), lease(2, 'a', 20), lease(3, 'c', 20)]);
  const book = new LeaseBook(store);
  const before = sightOf(book);
  store.failing = true;
  book.put(lease(1, 'a', 500));
  book.put(lease(2, 'a', 5));
  book.put(lease(3, 'b', 500));
  book.put(lease(3, 'a', 600));
  book.put(lease(4, 'b', 500));
  assert.throws(() => book.commit(), /disk full/);
  assert.deepEqual(sightOf(book), before);
  store.failing = false;
  book.commit();
  assert.deepEqual(store.written, []);
  book.put(lease(4, 'c', 700));
  book.commit();
  assert.deepEqual(store.written, [[lease(4, 'c', 700)]]);
});

test('leases that run out are told once each, oldest first, at their second', () => {
  const book = new LeaseBook(new MemoryStore([lease(1, 'a', 30), lease(2, 'b', 10), lease(3, 'c', 20)]));
  assert.equal(book.nextExpiry, 10);
  assert.deepEqual(book.takeExpired(9), []);
  assert.deepEqual(book.takeExpired(20), [lease(2, 'b', 10), lease(3, 'c', 20)]);
  assert.deepEqual(book.takeExpired(20), []);
  assert.deepEqual(book.takeExpired(1000), [lease(1, 'a', 30)]);
  assert.equal(book.nextExpiry, undefined);
  assert.equal(book.size, 3, 'the client may have it back');
});

test('a lease that was ended early is told at its early end and not again at the first one', () => {
  const book = new LeaseBook(new MemoryStore([lease(1, 'a', 100)]));
  book.put(lease(1, 'a', 50, { released: true }));
  assert.equal(book.nextExpiry, 50);
  assert.deepEqual(book.takeExpired(50), [lease(1, 'a', 50, { released: true })]);
  assert.deepEqual(book.takeExpired(100), []);
});

test('an early end that could not be written leaves the first one in force', () => {
  const store = new MemoryStore([lease(1, 'a', 100)]);
  const book = new LeaseBook(store);
  store.failing = true;
  book.put(lease(1, 'a', 50, { released: true }));
  assert.throws(() => book.commit());
  assert.deepEqual(book.takeExpired(99), []);
  assert.deepEqual(book.takeExpired(100), [lease(1, 'a', 100)]);
});

test('renewals do not bring a lease up twice', () => {
  const book = new LeaseBook(new MemoryStore());
  for (let now = 0; now < 1000; now++) {
    assert.deepEqual(book.takeExpired(now), []);
    book.put(lease(1, 'a', now + 10));
    book.commit();
  }
  assert.deepEqual(book.takeExpired(5000), [lease(1, 'a', 1009)]);
});

type Push = (this: TimerHeap<unknown>, due: number, value: unknown) => void;

/** The most entries that any heap has while `use` runs. */
function largestHeap(t: TestContext, use: () => void): number {
  let largest = 0;
  const push = Reflect.get(TimerHeap.prototype, 'push') as Push;
  t.mock.method(TimerHeap.prototype, 'push', function count(this: TimerHeap<unknown>, due: number, value: unknown) {
    push.call(this, due, value);
    largest = Math.max(largest, this.size);
  });
  use();
  return largest;
}

test('a client that renews all the time stays one entry', (t) => {
  const book = new LeaseBook(new MemoryStore());
  const largest = largestHeap(t, () => {
    for (let now = 0; now < 10_000; now++) {
      book.put(lease(1, 'a', now + 43_200));
      book.commit();
      book.takeExpired(now);
    }
  });
  assert.equal(largest, 1);
});

test('clients that ask and release all the time do not make the book grow', (t) => {
  const book = new LeaseBook(new MemoryStore());
  const largest = largestHeap(t, () => {
    for (let now = 0; now < 10_000; now++) {
      book.put(lease(now % 10, 'a', now + 43_200));
      book.put(lease(now % 10, 'a', now, { released: true }));
      book.commit();
      book.takeExpired(now);
    }
  });
  assert.ok(largest < 100, `${largest} entries for 10 addresses`);
});

/** One thing that can happen to a book. */
type Step = { readonly put: Lease } | { readonly commit: 'good' | 'failing' } | { readonly elapse: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ number: fc.nat(4), client: fc.constantFrom(...CLIENTS), expires: fc.nat(300) })
      .map(({ number, client, expires }) => ({ put: lease(number, client, expires) })),
  },
  { weight: 2, arbitrary: fc.constantFrom({ commit: 'good' as const }, { commit: 'failing' as const }) },
  { weight: 2, arbitrary: fc.nat(20).map((seconds) => ({ elapse: seconds })) },
);

/** The same book as two plain maps: what stands, and what is on disk. */
class Model {
  standing = new Map<number, Lease>();
  now = 0;
  #written = new Map<number, Lease>();

  get pending(): boolean {
    return [...this.standing].some(([at, held]) => this.#written.get(at) !== held);
  }

  commit(): void {
    this.#written = new Map(this.standing);
  }

  undo(): void {
    this.standing = new Map(this.#written);
  }

  sight(): unknown {
    const leases = sorted(this.standing.values());
    return { all: leases, of: CLIENTS.map((client) => leases.filter((each) => each.client === client)) };
  }
}

function sorted(leases: Iterable<Lease>): Lease[] {
  return [...leases].toSorted((a, b) => a.address - b.address);
}

function checkExpired(book: LeaseBook, model: Model, seconds: number): void {
  const was = model.now;
  model.now += seconds;
  const expired = book.takeExpired(model.now);
  const due = sorted(model.standing.values()).filter(({ expires }) => expires > was && expires <= model.now);
  for (const each of due) assert.ok(expired.includes(each), 'one is forgotten');
  for (const each of expired) assert.equal(model.standing.get(each.address), each);
  assert.ok(expired.every(({ expires }) => expires <= model.now));
  assert.equal(new Set(expired).size, expired.length, 'one is told twice');
}

function take(step: Step, { book, store, model }: { book: LeaseBook; store: MemoryStore; model: Model }): void {
  if ('put' in step) {
    const put = { ...step.put, expires: model.now + step.put.expires };
    book.put(put);
    model.standing.set(put.address, put);
  } else if ('elapse' in step) checkExpired(book, model, step.elapse);
  else if (step.commit === 'good' || !model.pending) {
    book.commit();
    model.commit();
  } else {
    store.failing = true;
    assert.throws(() => book.commit());
    store.failing = false;
    model.undo();
  }
}

test('a book agrees with a plain map whatever happens to it', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      const store = new MemoryStore();
      const [book, model] = [new LeaseBook(store), new Model()];
      for (const step of steps) {
        take(step, { book, store, model });
        const of = CLIENTS.map((client) => sorted(book.of(client)));
        assert.deepEqual({ all: sorted(book.all()), of }, model.sight());
      }
    }),
    { numRuns: 300 },
  );
});

test('closing the book closes its store', () => {
  const store = new MemoryStore();
  new LeaseBook(store).close();
  assert.equal(store.closed, true);
});
