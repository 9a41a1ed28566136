import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test, type TestContext } from 'node:test';

import { SqliteEventStore, type EventBounds } from '../../src/timeline/event-store.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { event, NODE1, NODE2 } from './event-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-events-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function newFile(): string {
  return join(directory, `timeline-${files++}.db`);
}

const DAY = 86_400_000;
const ROOMY: EventBounds = { milliseconds: DAY, bytes: 64 * 2 ** 20 };
/** The number of pages that an empty timeline takes, and some more. */
const SMALL: EventBounds = { milliseconds: DAY, bytes: 256 * 1024 };
/** A body of about 300 bytes: SMALL holds some 600. */
const WORDS = 'x'.repeat(200);

const clock = { time: 0, now: () => clock.time };

function open(t: TestContext, file = newFile(), bounds = ROOMY): SqliteEventStore {
  const store = new SqliteEventStore(file, clock, bounds);
  t.after(() => store.close());
  return store;
}

function withSql<T>(file: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function times(events: readonly RackEvent[]): number[] {
  return events.map(({ at }) => at);
}

const BOOT: readonly RackEvent[] = [
  event(1, NODE1, { kind: 'dhcp.discover', arch: 7 }),
  event(2, NODE2, { kind: 'dhcp.discover' }),
  event(3, NODE1, { kind: 'dhcp.ack', expires: 100 }),
  event(4, NODE1, { kind: 'tftp.refused', file: 'x', reason: 'no such file' }),
  event(5, undefined, { kind: 'plan.refused', faults: ['a', 'b'] }),
];

test('events survive closing and opening again, whole and in order', (t) => {
  const file = newFile();
  const store = new SqliteEventStore(file, clock, ROOMY);
  store.write(BOOT.slice(0, 2));
  store.write(BOOT.slice(2));
  store.close();
  assert.deepEqual(open(t, file).find({ limit: 100 }), BOOT);
});

const FILTERS: readonly (readonly [
  title: string,
  filter: { mac?: string; kind?: string; limit?: number },
  found: number[],
])[] = [
  ['no filter', {}, [1, 2, 3, 4, 5]],
  ['a machine', { mac: NODE1 }, [1, 3, 4]],
  ['a machine nobody saw', { mac: '52:54:00:00:00:09' }, []],
  ['a kind', { kind: 'dhcp.discover' }, [1, 2]],
  ['all kinds of a service', { kind: 'dhcp' }, [1, 2, 3]],
  ['half a word', { kind: 'dhc' }, []],
  ['half a word behind the dot', { kind: 'dhcp.disc' }, []],
  ['a dot at the end', { kind: 'dhcp.' }, []],
  ['a wildcard', { kind: '*' }, []],
  ['a class of characters', { kind: '[d]hcp' }, []],
  ['machine and kind', { mac: NODE1, kind: 'dhcp' }, [1, 3]],
  ['the newest two', { limit: 2 }, [4, 5]],
  ['the newest of a machine', { mac: NODE2, limit: 1 }, [2]],
  ['none', { limit: 0 }, []],
];

for (const [title, filter, found] of FILTERS) {
  test(`asked for ${title}, the store gives ${found.length}, oldest first`, (t) => {
    const store = open(t);
    store.write(BOOT);
    assert.deepEqual(times(store.find({ limit: 100, ...filter })), found);
  });
}

test('events of one machine are found by the index, however many others there are', (t) => {
  const file = newFile();
  const store = open(t, file);
  const { mock } = t.mock.method(DatabaseSync.prototype, 'prepare');
  store.find({ mac: NODE1, kind: 'dhcp', limit: 10 });
  const query = String(mock.calls.find(({ arguments: [sql] }) => sql.includes('ORDER BY'))?.arguments[0]);
  const plan = withSql(file, (database) =>
    database.prepare(`EXPLAIN QUERY PLAN ${query}`).all({ mac: NODE1, kind: 'dhcp', limit: 10 }),
  );
  assert.match(JSON.stringify(plan), /USING INDEX event_mac/);
});

function wordy(at: number): RackEvent {
  return event(at, NODE1, { kind: 'dhcp.nak', reason: WORDS });
}

test('the events take no more than the size allows, and the newest are kept', (t) => {
  const file = newFile();
  const store = open(t, file, SMALL);
  for (let at = 0; at < 12_000; at += 50) {
    store.write(Array.from({ length: 50 }, (_, i) => wordy(at + i)));
    const kept = times(store.find({ limit: 100_000 }));
    assert.ok(kept.length <= 2_000, `${kept.length} events`);
    assert.equal(kept.at(-1), at + 49);
    assert.deepEqual(kept, rising(kept[0] ?? 0, at + 50));
    assert.ok(kept.length >= Math.min(400, at + 50), `${kept.length} events`);
  }
  store.prune();
  assert.ok(usedBytes(file) <= SMALL.bytes);
});

function rising(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function usedBytes(file: string): number {
  return withSql(file, (database) => {
    const of = (pragma: string): number => Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
    return (of('page_count') - of('freelist_count')) * of('page_size');
  });
}

test('a file that holds too much is cut when it is opened, and with the bounds of a new Plan', (t) => {
  const file = newFile();
  const first = new SqliteEventStore(file, clock, ROOMY);
  first.write(rising(0, 3_000).map(wordy));
  first.close();
  const store = open(t, file, { ...ROOMY, bytes: 512 * 1024 });
  const { length } = store.find({ limit: 10_000 });
  assert.ok(length > 1_000 && length < 2_000, `${length} events`);
  store.bound(SMALL);
  store.prune();
  const left = times(store.find({ limit: 10_000 }));
  assert.ok(left.length > 400 && left.length < 1_000, `${left.length} events`);
  assert.equal(left.at(-1), 2_999);
});

test('events that are too old are forgotten, also where nothing new comes', (t) => {
  t.after(() => (clock.time = 0));
  const store = open(t);
  store.write([0, 10, 20, 30].map((at) => event(at)));
  clock.time = DAY + 10;
  store.prune();
  assert.deepEqual(times(store.find({ limit: 9 })), [10, 20, 30]);
  clock.time = 3 * DAY;
  store.prune();
  assert.deepEqual(times(store.find({ limit: 9 })), []);
  store.write([event(3 * DAY)]);
  assert.deepEqual(times(store.find({ limit: 9 })), [3 * DAY]);
});

test('a clock that is set back makes nobody forget what came after', (t) => {
  t.after(() => (clock.time = 0));
  const store = open(t);
  store.write([5 * DAY, 1, 2].map((at) => event(at)));
  clock.time = 5 * DAY;
  store.prune();
  assert.deepEqual(times(store.find({ limit: 9 })), [5 * DAY, 1, 2]);
});

test('very much is forgotten in several goes, as nobody is served meanwhile', (t) => {
  t.after(() => (clock.time = 0));
  const store = open(t);
  store.write(rising(0, 25_000).map((at) => event(at)));
  clock.time = 2 * DAY;
  store.prune();
  assert.equal(store.find({ limit: 100_000 }).length, 5_000);
  store.prune();
  assert.equal(store.find({ limit: 100_000 }).length, 0);
});

test('events are read page by page, from one number up to another', (t) => {
  const store = open(t);
  assert.equal(store.newest(), 0);
  store.write(rising(0, 10).map((at) => event(at)));
  const until = store.newest();
  store.write([event(10)]);
  const pages: number[][] = [];
  for (let seen = until - 7; seen < until;) {
    const { events, last } = store.page(seen, until, 3);
    pages.push(times(events));
    seen = last;
  }
  assert.deepEqual(pages, [[3, 4, 5], [6, 7, 8], [9]]);
  assert.deepEqual(open(t).page(0, 4, 3), { events: [], last: 4 });
});

test('of a batch that fails nothing is left, be it the writing that fails or the cutting', (t) => {
  t.after(() => (clock.time = 0));
  const file = newFile();
  const store = open(t, file);
  store.write([event(1)]);
  withSql(file, (database) =>
    database.exec(`
      CREATE TRIGGER no_write BEFORE INSERT ON event WHEN NEW.at = 3 BEGIN SELECT RAISE(ABORT, 'no writing'); END;
      CREATE TRIGGER no_cut BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'no cutting'); END`),
  );
  assert.throws(() => store.write([event(2), event(3)]), /no writing/);
  clock.time = DAY + 10;
  const many = rising(DAY, DAY + 1_000).map((at) => event(at));
  assert.throws(() => store.write(many), /no cutting/);
  assert.deepEqual(times(store.find({ limit: 10_000 })), [1]);
  withSql(file, (database) => database.exec('DROP TRIGGER no_cut'));
  store.write(many);
  assert.deepEqual(times(store.find({ limit: 10_000 })), times(many));
});

test('a file of another version is refused with both versions, and left as it is', () => {
  const file = newFile();
  withSql(file, (database) => database.exec('CREATE TABLE theirs (x); PRAGMA user_version = 2'));
  const before = readFileSync(file);
  assert.throws(() => new SqliteEventStore(file, clock, ROOMY), {
    message: `${file}: expected timeline version 1, found 2`,
  });
  assert.deepEqual(readFileSync(file), before);
});
