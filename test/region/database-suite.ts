import assert from 'node:assert/strict';
import { test } from 'node:test';

import { duplicateOf, isCollision, type Database } from '../../src/region/database/database.ts';
import { migrate } from '../../src/region/database/migrate.ts';
import { MIGRATIONS } from '../../src/region/database/migrations.ts';

/** What holds for every database a region may be on. `open` gives an empty one. */
export function testDatabase(name: string, open: () => Promise<Database>): void {
  test(`${name}: tables are made once, and not again`, async () => {
    await using database = await opened(open);
    assert.deepEqual(
      await migrate(database),
      MIGRATIONS.map((migration) => migration.name),
    );
    assert.deepEqual(await migrate(database), []);
  });

  test(`${name}: of several that find no tables one makes them`, async () => {
    await using database = await opened(open);
    const done = await Promise.all([1, 2, 3, 4].map(() => migrate(database)));
    assert.deepEqual(
      done.flat(),
      MIGRATIONS.map((migration) => migration.name),
    );
  });

  test(`${name}: a database of a later version is left alone`, async () => {
    await using database = await opened(open);
    await migrate(database);
    await database.query('INSERT INTO migration (number, name) VALUES (999, $1)', ['of tomorrow']);
    await assert.rejects(migrate(database), /the database is of a later rackboot/);
  });

  test(`${name}: values come back as they are told to`, async () => {
    await using database = await opened(open);
    const [row] = await database.query(
      `SELECT 9007199254740991::bigint AS big, $1::jsonb AS json, $2::text[] AS list, '192.0.2.1'::inet AS inet,
        '192.0.2.0/24'::cidr AS cidr, '52:54:00:12:34:56'::macaddr AS mac, '2026-01-02T03:04:05Z'::timestamptz AS at,
        ARRAY['192.0.2.1'::inet] AS addresses, count(*) AS rows FROM generate_series(1, 3)`,
      [JSON.stringify({ a: [1, "it's"] }), ['x', 'y"{}', '']],
    );
    assert.deepEqual(row, {
      big: 9_007_199_254_740_991,
      json: { a: [1, "it's"] },
      list: ['x', 'y"{}', ''],
      inet: '192.0.2.1',
      cidr: '192.0.2.0/24',
      mac: '52:54:00:12:34:56',
      at: new Date('2026-01-02T03:04:05Z'),
      addresses: ['192.0.2.1'],
      rows: 3,
    });
  });

  test(`${name}: a transaction that fails leaves nothing, and says what was in its way`, async () => {
    await using database = await opened(open);
    await migrate(database);
    const twice = database.transaction(async (sql) => {
      await sql.query('INSERT INTO setting (name, value) VALUES ($1, $2::jsonb)', ['a', '1']);
      await sql.query('INSERT INTO setting (name, value) VALUES ($1, $2::jsonb)', ['a', '2']);
    });
    await assert.rejects(twice, (error) => duplicateOf(error) === 'setting_pkey' && !isCollision(error));
    assert.deepEqual(await database.query('SELECT * FROM setting'), []);
  });

  test(`${name}: of what is done at the same time nothing is lost`, async () => {
    await using database = await opened(open);
    await migrate(database);
    await database.query("INSERT INTO setting (name, value) VALUES ('n', '0')");
    const addOne = () =>
      database.transaction(async (sql) => {
        const [row] = await sql.query("SELECT value FROM setting WHERE name = 'n'");
        await sql.query("UPDATE setting SET value = $1::jsonb WHERE name = 'n'", [String(Number(row?.['value']) + 1)]);
      });
    // So many that, were each in the way of all others, some would give up
    await Promise.all(Array.from({ length: 60 }, addOne));
    assert.deepEqual(await database.query('SELECT value FROM setting'), [{ value: 60 }]);
  });

  test(`${name}: seldom events among many others are found without looking at those`, async () => {
    await using database = await opened(open);
    await migrate(database);
    await database.query("INSERT INTO rack (name, key_hash, token_hash) VALUES ('a', '', '')");
    const add = (kind: string, rows: number) =>
      database.query(
        `INSERT INTO event (rack_id, at, kind, body) SELECT id, now(), $1, '{}' FROM rack, generate_series(1, $2::int)`,
        [kind, rows],
      );
    await add('plan.refused', 3);
    await add('dhcp.ack', 20_000);
    await database.query('ANALYZE event');
    const plan = await database.query(
      'EXPLAIN SELECT id FROM event WHERE kind = ANY($1::text[]) ORDER BY event.id DESC LIMIT 100',
      [['plan.refused', 'service.failed']],
    );
    assert.match(JSON.stringify(plan), /event_kind/);
  });

  test(`${name}: who listens hears what is notified, once it is committed`, { timeout: 10_000 }, async () => {
    await using database = await opened(open);
    await migrate(database);
    const heard = Promise.withResolvers<string>();
    await database.listen('plan', heard.resolve, () => undefined);
    const failed = database.transaction(async (sql) => {
      await sql.query("SELECT pg_notify('plan', 'never')");
      throw new Error('no');
    });
    await assert.rejects(failed, /^Error: no$/);
    await database.transaction((sql) => sql.query("SELECT pg_notify('plan', 'rack-1')"));
    assert.equal(await heard.promise, 'rack-1');
  });
}

async function opened(open: () => Promise<Database>): Promise<Database & AsyncDisposable> {
  const database = await open();
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}
