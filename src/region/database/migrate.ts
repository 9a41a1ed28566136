import type { Database, Sql } from './database.ts';
import { MIGRATIONS } from './migrations.ts';

/** Any number that no other program on this database takes. */
const LOCK = 5_240_067;

/** Brings the database up to this version's tables, one process at a time; gives the names of what was done. Throws when it is of a later version. */
export async function migrate(database: Database): Promise<string[]> {
  // Not serializable: what the one before did while this one waited for the lock is to be seen
  return database.transaction(async (sql) => {
    // An index of millions of rows takes longer than any question of ours may, and whoever waits for that waits as long
    await sql.query('SET LOCAL statement_timeout = 0');
    await sql.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await sql.query(
      'CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())',
    );
    const done = await count(sql);
    if (done > MIGRATIONS.length) {
      throw new Error(
        `the database is of a later rackboot: it has ${done} migrations, this one knows ${MIGRATIONS.length}`,
      );
    }
    const left = MIGRATIONS.slice(done);
    for (const [i, { name, sql: text }] of left.entries()) {
      for (const statement of statementsOf(text)) await sql.query(statement);
      await sql.query('INSERT INTO migration (number, name) VALUES ($1, $2)', [done + i + 1, name]);
    }
    return left.map(({ name }) => name);
  }, 'read committed');
}

async function count(sql: Sql): Promise<number> {
  const [row] = await sql.query('SELECT count(*)::int AS done FROM migration');
  return Number(row?.['done']);
}

/** A question with values takes one statement at a time; ours have no semicolon inside. */
function statementsOf(text: string): string[] {
  const withoutComments = text.replaceAll(/--.*$/gm, '');
  return withoutComments
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
