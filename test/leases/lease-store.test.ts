import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { SqliteLeaseStore } from '../../src/leases/lease-store.ts';
import type { Lease } from '../../src/leases/lease.ts';
import { lease } from './lease-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-leases-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function newFile(): string {
  return join(directory, `leases-${files++}.db`);
}

/** What the store holds, in the order of addresses. */
function contentOf(store: SqliteLeaseStore): Lease[] {
  return store.load().toSorted((a, b) => a.address - b.address);
}

/** Runs SQL on the file, as an operator with sqlite3 would. */
function withSql<T>(file: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

const EXTREMES: readonly Lease[] = [
  { address: toIp4(0), client: '', mac: 0 as Mac, expires: 0, kept: false },
  {
    address: toIp4(0xffffffff),
    client: 'ff:00\0"\' ü',
    mac: 0xffffffffffff as Mac,
    expires: 2 ** 33,
    kept: true,
    name: 'node1',
  },
];

test('leases survive closing and opening again, whatever is in them', () => {
  const file = newFile();
  const store = new SqliteLeaseStore(file);
  store.write(EXTREMES);
  store.close();
  const again = new SqliteLeaseStore(file);
  assert.deepEqual(contentOf(again), EXTREMES);
  again.close();
});

for (const count of [1, 7, 8, 9, 16, 23]) {
  test(`a commit of ${count} leases writes each once, and of two at one address the later`, () => {
    const file = newFile();
    const store = new SqliteLeaseStore(file);
    const leases = Array.from({ length: count }, (_, at) => lease(at, `client ${at}`, 1_000 + at));
    store.write([lease(count - 1, 'earlier', 5), ...leases]);
    store.close();
    const again = new SqliteLeaseStore(file);
    assert.deepEqual(contentOf(again), leases);
    again.close();
  });
}

test('every second of writing is noted, and so is a write of nothing', () => {
  let now = 1_700_000_000_000;
  const store = new SqliteLeaseStore(newFile(), { now: () => now, monotonic: () => 0 });
  const seen: (number | undefined)[] = [];
  for (const [milliseconds, leases] of [
    [0, 1],
    [400, 1],
    [700, 1],
    [10_000, 0],
    [10_000, 1],
  ] as const) {
    now = 1_700_000_000_000 + milliseconds;
    store.write(leases ? [lease(1, 'a', 5)] : []);
    seen.push(store.lastWrite);
  }
  assert.deepEqual(
    seen.map((second) => (second ?? 0) - 1_700_000_000),
    [0, 0, 0, 10, 10],
  );
  store.close();
});

test('a new file holds nothing', () => {
  const store = new SqliteLeaseStore(newFile());
  assert.deepEqual(store.load(), []);
  store.close();
});

test('a lease takes the place of the one at its address, its name included', () => {
  const store = new SqliteLeaseStore(newFile());
  store.write([lease(1, 'a', 100, { name: 'alpha' }), lease(2, 'b', 100)]);
  store.write([lease(1, 'c', 200), lease(2, 'b', 300)]);
  assert.deepEqual(contentOf(store), [lease(1, 'c', 200), lease(2, 'b', 300)]);
  store.close();
});

test('that a lease was released is not kept', () => {
  const store = new SqliteLeaseStore(newFile());
  store.write([lease(1, 'a', 100, { released: true })]);
  assert.deepEqual(store.load(), [lease(1, 'a', 100)]);
  store.close();
});

test('what was written is in the file before write returns: a second reader sees it', () => {
  const file = newFile();
  const store = new SqliteLeaseStore(file);
  store.write([lease(1, 'a', 100)]);
  assert.equal(
    withSql(file, (database) => database.prepare('SELECT count(*) AS n FROM lease').get()?.['n']),
    1,
  );
  store.close();
});

test('of a batch that fails in the middle nothing is left, and the next one goes through', () => {
  const file = newFile();
  const store = new SqliteLeaseStore(file);
  store.write([lease(1, 'a', 100)]);
  withSql(file, (database) =>
    database.exec(`
      CREATE TRIGGER refuse BEFORE INSERT ON lease WHEN NEW.client = 'poison'
      BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END`),
  );
  const batch = [lease(1, 'b', 200), lease(2, 'b', 200), lease(3, 'poison', 200), lease(4, 'b', 200)];
  assert.throws(() => store.write(batch), /refused by a trigger/);
  assert.deepEqual(store.load(), [lease(1, 'a', 100)]);
  store.write([lease(5, 'c', 300)]);
  assert.deepEqual(contentOf(store), [lease(1, 'a', 100), lease(5, 'c', 300)]);
  store.close();
});

function* half(): Generator<Lease> {
  yield lease(1, 'a', 100);
  throw new Error('half way');
}

test('a batch whose making throws leaves nothing', () => {
  const store = new SqliteLeaseStore(newFile());
  assert.throws(() => store.write(half()), /half way/);
  assert.deepEqual(store.load(), []);
  store.write([lease(2, 'a', 100)]);
  assert.equal(store.load().length, 1);
  store.close();
});

test('a file of another version is refused with both versions, and left as it is', () => {
  const file = newFile();
  withSql(file, (database) => database.exec('CREATE TABLE theirs (x); PRAGMA user_version = 7'));
  const before = readFileSync(file);
  assert.throws(() => new SqliteLeaseStore(file), {
    message: `${file}: expected lease file version 1, found 7`,
  });
  assert.deepEqual(readFileSync(file), before);
  // Not even locked
  withSql(file, (database) => database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT'));
});

test('a file that is no database is refused and left as it is', () => {
  const file = newFile();
  const text = 'lease 192.0.2.1 { ends never; }\n'.repeat(100);
  writeFileSync(file, text);
  assert.throws(() => new SqliteLeaseStore(file), /not a database/);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('a directory that is not there is reported', () => {
  assert.throws(() => new SqliteLeaseStore(join(directory, 'no', 'leases.db')), /unable to open/);
});

test('people with sqlite3 see addresses and times they can read', () => {
  const file = newFile();
  const store = new SqliteLeaseStore(file);
  store.write([
    {
      address: toIp4(0xc0a87fdd),
      client: 'x',
      mac: 0x525400ab0c0d as Mac,
      expires: 1_700_000_000,
      kept: true,
      name: 'node1',
    },
    { address: toIp4(0xff000001), client: 'y', mac: 0xff0000000001 as Mac, expires: 0, kept: false },
  ]);
  store.close();
  assert.deepEqual(
    withSql(file, (database) =>
      database
        .prepare('SELECT * FROM leases')
        .all()
        .map((row) => ({ ...row })),
    ),
    [
      { address: '192.168.127.221', mac: '52:54:00:ab:0c:0d', expires: '2023-11-14 22:13:20', kept: 1, name: 'node1' },
      { address: '255.0.0.1', mac: 'ff:00:00:00:00:01', expires: '1970-01-01 00:00:00', kept: 0, name: null },
    ],
  );
});

test('each commit is synced to disk', () => {
  const file = newFile();
  const store = new SqliteLeaseStore(file);
  // FULL (2) is per connection and can't be seen from another; WAL is in the file
  assert.equal(
    withSql(file, (database) => database.prepare('PRAGMA journal_mode').get()?.['journal_mode']),
    'wal',
  );
  store.close();
});
