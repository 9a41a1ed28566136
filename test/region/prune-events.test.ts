import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import type { Database } from '../../src/region/database/database.ts';
import { migrate } from '../../src/region/database/migrate.ts';
import { pruneEvents } from '../../src/region/prune-events.ts';

const DAY = 86_400;

/** `ages` in days, by this region's clock; all of them say of themselves that they are of the year 2099. */
async function withEvents(ages: string): Promise<Database> {
  const database = await openEmbeddedDatabase('memory://');
  await migrate(database);
  await database.query("INSERT INTO rack (name, key_hash, token_hash) VALUES ('a', '', '')");
  await database.query(
    `INSERT INTO event (rack_id, at, received, kind, body)
     SELECT id, '2099-01-01', now() - make_interval(days => age), 'dhcp.ack', '{}' FROM rack, (${ages}) AS old (age)`,
  );
  return database;
}

async function left(database: Database): Promise<unknown> {
  return (await database.query('SELECT count(*) AS left FROM event'))[0]?.['left'];
}

test('events that came here too long ago are forgotten, whatever time they say they are of', async () => {
  const database = await withEvents('VALUES (100), (91), (89), (1)');
  assert.equal(await pruneEvents(database, { age: 90 * DAY, most: 1000 }), 2);
  assert.equal(await left(database), 2);
  await database.close();
});

test('of too many the oldest are forgotten, in as many steps as it takes', async () => {
  const database = await withEvents('SELECT 0 FROM generate_series(1, 25000)');
  assert.equal(await pruneEvents(database, { age: 90 * DAY, most: 1_000 }), 24_000);
  assert.deepEqual((await database.query('SELECT min(id) AS first FROM event'))[0], { first: 24_001 });
  assert.equal(await pruneEvents(database, { age: 90 * DAY, most: 1_000 }), 0);
  await database.close();
});

test('a process that stops forgets no more than it is at', async () => {
  const database = await withEvents('SELECT 100 FROM generate_series(1, 25000)');
  assert.equal(await pruneEvents(database, { age: 90 * DAY, most: 1_000 }, AbortSignal.abort()), 10_000);
  await database.close();
});
