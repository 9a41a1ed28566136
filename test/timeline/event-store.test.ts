import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test, type TestContext } from 'node:test';

import { SqliteEventStore } from '../../src/timeline/event-store.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { event, NODE1, NODE2 } from './event-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-events-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function newFile(): string {
  return join(directory, `timeline-${files++}.db`);
}

function open(t: TestContext, file = newFile(), most?: number): SqliteEventStore {
  const store = new SqliteEventStore(file, most);
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
  const store = new SqliteEventStore(file);
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

test('the file holds the newest and little more', (t) => {
  const store = open(t, newFile(), 100);
  for (let at = 0; at < 12_000; at += 50) {
    store.write(Array.from({ length: 50 }, (_, i) => event(at + i)));
    const kept = store.find({ limit: 100_000 });
    assert.ok(kept.length <= 100 + 5_000, `${kept.length} events`);
    assert.equal(kept.at(-1)?.at, at + 49);
    assert.ok(kept.length >= Math.min(100, at + 50));
  }
});

test('one batch beyond the bound is cut to the bound', (t) => {
  const store = open(t, newFile(), 100);
  store.write(Array.from({ length: 6_000 }, (_, at) => event(at)));
  assert.deepEqual(
    times(store.find({ limit: 100_000 })),
    Array.from({ length: 100 }, (_, i) => 5_900 + i),
  );
});

test('a file that holds too much is cut when it is opened', (t) => {
  const file = newFile();
  const store = new SqliteEventStore(file);
  store.write(Array.from({ length: 300 }, (_, at) => event(at)));
  store.close();
  assert.equal(open(t, file, 100).find({ limit: 1000 }).length, 100);
});

test('of a batch that fails nothing is left, be it the writing that fails or the cutting', (t) => {
  const file = newFile();
  const store = open(t, file, 100);
  store.write([event(1)]);
  withSql(file, (database) =>
    database.exec(`
      CREATE TRIGGER no_write BEFORE INSERT ON event WHEN NEW.at = 3 BEGIN SELECT RAISE(ABORT, 'no writing'); END;
      CREATE TRIGGER no_cut BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'no cutting'); END`),
  );
  assert.throws(() => store.write([event(2), event(3)]), /no writing/);
  const many = Array.from({ length: 5_000 }, (_, i) => event(10 + i));
  assert.throws(() => store.write(many), /no cutting/);
  assert.deepEqual(times(store.find({ limit: 10_000 })), [1]);
  withSql(file, (database) => database.exec('DROP TRIGGER no_cut'));
  store.write(many);
  assert.deepEqual(times(store.find({ limit: 10_000 })), times(many.slice(-100)));
});

test('a file of another version is refused with both versions, and left as it is', () => {
  const file = newFile();
  withSql(file, (database) => database.exec('CREATE TABLE theirs (x); PRAGMA user_version = 2'));
  const before = readFileSync(file);
  assert.throws(() => new SqliteEventStore(file), { message: `${file}: expected timeline version 1, found 2` });
  assert.deepEqual(readFileSync(file), before);
});
