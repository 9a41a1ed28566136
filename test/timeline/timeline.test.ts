import assert from 'node:assert/strict';
import { test } from 'node:test';

import { matches, type EventFilter } from '../../src/timeline/event-filter.ts';
import type { EventPage, EventStore } from '../../src/timeline/event-store.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { Timeline } from '../../src/timeline/timeline.ts';
import { event, NODE1, NODE2 } from './event-fixture.ts';

/** A store in memory, that fails when told to. */
class MemoryStore implements EventStore {
  failing = false;
  closed = false;
  readonly #events: RackEvent[] = [];

  write(events: readonly RackEvent[]): void {
    if (this.failing) throw new Error('disk full');
    for (const each of events) this.#events.push(each);
  }

  find(filter: EventFilter & { readonly limit: number }): RackEvent[] {
    return this.#events.filter((each) => matches(each, filter)).slice(-filter.limit);
  }

  newest(): number {
    return this.#events.length;
  }

  page(after: number, until: number, limit: number): EventPage {
    const events = this.#events.slice(after, Math.min(until, after + limit));
    return { events, last: events.length === 0 ? until : after + events.length };
  }

  bound(): void {}

  prune(): void {}

  close(): void {
    this.closed = true;
  }
}

function times(events: readonly RackEvent[]): number[] {
  return events.map(({ at }) => at);
}

test('that a neighbour is still there is told to followers, and not kept', () => {
  const timeline = new Timeline(new MemoryStore());
  const heard: string[] = [];
  timeline.follow((events) => heard.push(...events.map(({ kind }) => kind)));
  timeline.append([{ kind: 'neighbour.refreshed', interface: 'eth0', at: 1, source: 'watch' }, event(2, NODE1)]);
  assert.deepEqual(times(timeline.find({})), [2]);
  timeline.flush();
  assert.deepEqual([times(timeline.find({})), heard.length], [[2], 2]);
});

test('what is too much of one machine is followed and not kept, and where it is cut is to be seen', () => {
  const verdicts = ['kept', 'cut', 'left out', 'kept'] as const;
  const timeline = new Timeline(new MemoryStore(), { weigh: ({ at }) => verdicts[at] ?? 'kept' });
  const followed: number[] = [];
  timeline.follow((events) => followed.push(...times(events)));
  timeline.append([0, 1, 2, 3].map((at) => event(at, NODE1)));
  timeline.flush();
  assert.deepEqual(followed, [0, 1, 2, 3]);
  assert.deepEqual(
    timeline.find({ mac: NODE1 }).map(({ at, kind }) => [at, kind]),
    [
      [0, 'dhcp.release'],
      [1, 'timeline.cut'],
      [3, 'dhcp.release'],
    ],
  );
});

test('events are found before they are written, after it, and across both', () => {
  const timeline = new Timeline(new MemoryStore());
  timeline.append([event(1, NODE1), event(2, NODE2)]);
  assert.deepEqual(times(timeline.find({ mac: NODE1 })), [1]);
  timeline.flush();
  assert.deepEqual(times(timeline.find({ mac: NODE1 })), [1]);
  timeline.append([event(3, NODE1), event(4)]);
  assert.deepEqual(times(timeline.find({ mac: NODE1 })), [1, 3]);
  assert.deepEqual(times(timeline.find({})), [1, 2, 3, 4]);
});

const LIMITS: readonly (readonly [limit: number, found: number[]])[] = [
  [0, []],
  [1, [4]],
  [2, [3, 4]],
  [3, [2, 3, 4]],
  [100, [1, 2, 3, 4]],
];

for (const [limit, found] of LIMITS) {
  test(`the newest ${limit} are the newest of both`, () => {
    const timeline = new Timeline(new MemoryStore());
    timeline.append([event(1), event(2)]);
    timeline.flush();
    timeline.append([event(3), event(4)]);
    assert.deepEqual(times(timeline.find({ limit })), found);
  });
}

test('what came late from another service stands where it belongs, and a clock that was set moves nothing', () => {
  const timeline = new Timeline(new MemoryStore());
  timeline.append([event(5_000), event(5_003), event(5_001), event(5_002), event(5_000)]);
  timeline.flush();
  timeline.append([event(4_999), event(1_000), event(9_000)]);
  assert.deepEqual(times(timeline.find({})), [4_999, 5_000, 5_000, 5_001, 5_002, 5_003, 1_000, 9_000]);
});

test('a kind is a whole kind or a service', () => {
  const discover = event(1, NODE1, { kind: 'dhcp.discover' });
  for (const [kind, match] of [
    ['dhcp', true],
    ['dhcp.discover', true],
    ['dhc', false],
    ['dhcp.disc', false],
    ['tftp', false],
    ['', false],
  ] as const) {
    assert.equal(matches(discover, { kind }), match, kind);
  }
});

test('a store that fails keeps the newest ten thousand waiting, and they are written when it can', () => {
  const store = new MemoryStore();
  const timeline = new Timeline(store);
  store.failing = true;
  for (let at = 0; at < 25_000; at += 1_000) {
    timeline.append(Array.from({ length: 1_000 }, (_, i) => event(at + i)));
    assert.throws(() => timeline.flush(), /disk full/);
  }
  const newest = Array.from({ length: 10_000 }, (_, i) => 15_000 + i);
  assert.deepEqual(times(timeline.find({ limit: 100_000 })), newest);
  store.failing = false;
  timeline.flush();
  timeline.flush();
  assert.deepEqual(times(store.find({ limit: 100_000 })), newest);
});

test('three hundred thousand events at once are taken', () => {
  const timeline = new Timeline(new MemoryStore());
  timeline.append(Array.from({ length: 300_000 }, (_, at) => event(at)));
  assert.equal(timeline.find({ limit: 1_000_000 }).length, 300_000);
});

test('followers hear each batch from then on, until they stop', () => {
  const timeline = new Timeline(new MemoryStore());
  const heard: number[][] = [];
  timeline.append([event(1)]);
  const stop = timeline.follow((events) => heard.push(times(events)));
  timeline.append([event(2), event(3)]);
  timeline.append([event(4)]);
  stop();
  timeline.append([event(5)]);
  assert.deepEqual(heard, [[2, 3], [4]]);
});

test('closing writes what waits', () => {
  const store = new MemoryStore();
  const timeline = new Timeline(store);
  timeline.append([event(1)]);
  timeline.close();
  assert.deepEqual(times(store.find({ limit: 9 })), [1]);
  assert.equal(store.closed, true);
});

test('closing closes the store although it can’t write, and says that it could not', () => {
  const store = new MemoryStore();
  const timeline = new Timeline(store);
  timeline.append([event(1)]);
  store.failing = true;
  assert.throws(() => timeline.close(), /disk full/);
  assert.equal(store.closed, true);
});
