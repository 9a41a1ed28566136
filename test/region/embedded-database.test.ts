import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { isPassing } from '../../src/region/fault-words.ts';
import { migrate } from '../../src/region/database/migrate.ts';
import { testDatabase } from './database-suite.ts';

testDatabase('embedded', () => openEmbeddedDatabase('memory://'));

test('embedded: its files stay as they are however much is changed, and hold it when it is opened again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-embedded-'));
  const logOf = (): number =>
    readdirSync(join(directory, 'pg_wal'))
      .map((name) => statSync(join(directory, 'pg_wal', name)))
      .reduce((sum, { size }) => sum + size, 0);
  try {
    const database = await openEmbeddedDatabase(directory);
    await migrate(database);
    const change = async (): Promise<number> => {
      await database.transaction(async (sql) => {
        await sql.query('DELETE FROM setting');
        await sql.query(
          "INSERT INTO setting (name, value) SELECT n::text, to_jsonb(repeat('x', 1000)) FROM generate_series(1, 20000) AS n",
        );
      });
      await database.tend();
      return logOf();
    };
    const sizes: number[] = [];
    for (let n = 0; n < 6; n++) sizes.push(await change());
    // Without a checkpoint each would have left as much again
    assert.equal(sizes.at(-1), sizes.at(-2), sizes.join(' '));
    const [dead] = await database.query("SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'setting'");
    assert.deepEqual(dead, { dead: 0 });
    await database.close();
    const again = await openEmbeddedDatabase(directory);
    assert.deepEqual(await again.query('SELECT count(*) AS rows FROM setting'), [{ rows: 20_000 }]);
    await again.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('embedded: where little is left of the disk nothing is changed, and what is there can be read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-embedded-'));
  try {
    const before = await openEmbeddedDatabase(directory);
    await migrate(before);
    await before.close();
    const database = await openEmbeddedDatabase(directory, Number.MAX_SAFE_INTEGER);
    const write = "INSERT INTO setting (name, value) VALUES ('a', '1')";
    await assert.rejects(database.query(write), isPassing);
    await assert.rejects(
      database.transaction((sql) => sql.query(write)),
      /too little room left on the disk/,
    );
    assert.deepEqual(await database.query('SELECT count(*) AS rows FROM setting'), [{ rows: 0 }]);
    await database.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
