import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Database } from '../../src/region/database/database.ts';
import { migrate } from '../../src/region/database/migrate.ts';
import { prune, type PruneBounds } from '../../src/region/prune.ts';
import { removeRack } from '../../src/region/racks/racks.ts';
import { openEmptyDatabase } from './empty-database.ts';

const DAY = 86_400;
const BOUNDS: PruneBounds = { events: { age: 90 * DAY, most: 1_000 }, audit: { age: 730 * DAY, most: 1_000 } };

/** A region with one rack. */
async function withRack(): Promise<Database> {
  const database = await openEmptyDatabase();
  await migrate(database);
  await database.query("INSERT INTO rack (name, key_hash, token_hash) VALUES ('a', '', '')");
  return database;
}

/** `ages` in days, by this region's clock; all of them say of themselves that they are of the year 2099. */
async function withEvents(ages: string): Promise<Database> {
  const database = await withRack();
  await database.query(
    `INSERT INTO event (rack_id, at, received, kind, body)
     SELECT id, '2099-01-01', now() - make_interval(days => age), 'dhcp.ack', '{}' FROM rack, (${ages}) AS old (age)`,
  );
  return database;
}

async function left(database: Database, table = 'event'): Promise<unknown> {
  return (await database.query(`SELECT count(*) AS left FROM ${table}`))[0]?.['left'];
}

test('events that came here too long ago are forgotten, whatever time they say they are of', async () => {
  const database = await withEvents('VALUES (100), (91), (89), (1)');
  assert.equal(await prune(database, BOUNDS), 2);
  assert.equal(await left(database), 2);
});

test('of too many the oldest are forgotten, in as many steps as it takes', async () => {
  const database = await withEvents('SELECT 0 FROM generate_series(1, 25000)');
  assert.equal(await prune(database, BOUNDS), 24_000);
  assert.deepEqual((await database.query('SELECT min(id) AS first FROM event'))[0], { first: 24_001 });
  assert.equal(await prune(database, BOUNDS), 0);
});

test('a process that stops forgets no more than it is at', async () => {
  const database = await withEvents('SELECT 100 FROM generate_series(1, 25000)');
  const stop = new AbortController();
  const stopping: Database = {
    ...database,
    transaction: async (work, isolation) => {
      const gone = await database.transaction(work, isolation);
      if (Number(gone) > 0) stop.abort();
      return gone;
    },
  };
  assert.equal(await prune(stopping, BOUNDS, stop.signal), 10_000);
  assert.equal(await prune(stopping, BOUNDS, stop.signal), 0);
});

test('what a removed rack has told goes step by step, and what others told stays', async () => {
  const database = await withEvents('SELECT 0 FROM generate_series(1, 25000)');
  await database.query("INSERT INTO rack (name, key_hash, token_hash) VALUES ('b', '', '')");
  await database.query(
    "INSERT INTO event (rack_id, at, kind, body) SELECT id, now(), 'dhcp.ack', '{}' FROM rack WHERE name = 'b'",
  );
  const [row] = await database.query("SELECT id FROM rack WHERE name = 'a'");
  await database.transaction((sql) => removeRack(sql, String(row?.['id'])));
  assert.equal(await left(database), 25_001);
  // And the note that there are some
  assert.equal(await prune(database, BOUNDS), 25_001);
  assert.equal(await left(database), 1);
  assert.equal(await left(database, 'removed_rack'), 0);
});

test('who changed what is forgotten when it is too old or too much', async () => {
  const database = await withRack();
  await database.query(
    `INSERT INTO audit (at, who, did, what)
     SELECT now() - make_interval(days => age), 'root', 'update', 'subnet 1' FROM (VALUES (731), (729), (0)) AS old (age)`,
  );
  assert.equal(await prune(database, BOUNDS), 1);
  await database.query(
    "INSERT INTO audit (who, did, what) SELECT 'root', 'update', 'subnet 1' FROM generate_series(1, 1500)",
  );
  await prune(database, BOUNDS);
  assert.equal(await left(database, 'audit'), 1_000);
});

test('of the outboxes of a rack the one that told last stays, however long ago that was', async () => {
  const database = await withRack();
  await database.query(
    `INSERT INTO stream (rack_id, stream, kept, told)
     SELECT id, gen_random_uuid(), age, now() - make_interval(days => age) FROM rack, (VALUES (400), (300), (95)) AS old (age)`,
  );
  assert.equal(await prune(database, BOUNDS), 2);
  assert.deepEqual(await database.query('SELECT kept FROM stream'), [{ kept: 95 }]);
});

test('a rack that says to have ever new outboxes fills no table', async () => {
  const database = await withRack();
  await database.query(
    'INSERT INTO stream (rack_id, stream, kept) SELECT id, gen_random_uuid(), 1 FROM rack, generate_series(1, 15000)',
  );
  assert.equal(await prune(database, BOUNDS), 14_900);
});

test('a machine that nobody has seen for as long as events are kept is forgotten', async () => {
  const database = await withRack();
  await database.query(
    `INSERT INTO machine (mac, rack_id, seen, kind)
     SELECT mac::macaddr, id, now() - make_interval(days => age), 'dhcp.ack'
     FROM rack, (VALUES ('52:54:00:00:00:01', 91), ('52:54:00:00:00:02', 89)) AS old (mac, age)`,
  );
  assert.equal(await prune(database, BOUNDS), 1);
  assert.deepEqual(await database.query('SELECT mac FROM machine'), [{ mac: '52:54:00:00:00:02' }]);
});
