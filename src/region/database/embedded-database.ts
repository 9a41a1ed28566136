import { existsSync, mkdirSync } from 'node:fs';

import type { PGlite, Transaction } from '@electric-sql/pglite';

import { checkEmbeddedFiles, DamagedDatabase } from './check-embedded-files.ts';
import type { Database, Row, Sql } from './database.ts';
import { DatabaseFiles } from './database-files.ts';
import { tryAgain } from './try-again.ts';

/** As autovacuum has it: so many rows, and this share of a table, before it is worth the while. */
const LEAST_DEAD = 50;
const SHARE_DEAD = 0.2;
const SHARE_CHANGED = 0.1;

/** Bytes: several parts of its log, and what is written between two looks. */
const LEAST_ROOM = 128 * 1024 * 1024;

/**
 * PostgreSQL inside this process, its files in `directory`; `memory://` keeps them nowhere. One process at a time. With less room on
 * that disk than `leastRoom` bytes nothing is changed any more.
 */
export async function openEmbeddedDatabase(directory: string, leastRoom = LEAST_ROOM): Promise<Database> {
  // 30 MB of WebAssembly that a region on a PostgreSQL of its own need not load
  const { PGlite: Engine } = await import('@electric-sql/pglite');
  if (directory.startsWith('memory:')) return new EmbeddedDatabase(await Engine.create(directory));
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkEmbeddedFiles(directory);
  try {
    return new EmbeddedDatabase(await Engine.create(directory), new DatabaseFiles(directory, leastRoom));
  } catch (error) {
    // What the engine says as it aborts is for who made it
    throw new DamagedDatabase(directory, 'its files are damaged, or may not be written', { cause: error });
  }
}

const IS_READ = /^\s*(?:SELECT|EXPLAIN)\b/;

class EmbeddedDatabase implements Database {
  readonly #engine: PGlite;
  readonly #files: DatabaseFiles | undefined;

  constructor(engine: PGlite, files?: DatabaseFiles) {
    this.#engine = engine;
    this.#files = files;
  }

  async query(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (!IS_READ.test(text)) await this.#files?.checkRoom();
    return ask(this.#engine, text, values);
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    await this.#files?.checkRoom();
    const result = await tryAgain(() =>
      this.#engine.transaction((transaction) => work({ query: (text, values = []) => ask(transaction, text, values) })),
    );
    await this.#files?.settle();
    return result;
  }

  async listen(channel: string, hear: (payload: string) => void): Promise<void> {
    await this.#engine.listen(channel, hear);
  }

  /** It has no checkpointer, so that its log would grow for ever, and no autovacuum. */
  async tend(): Promise<void> {
    await this.#engine.exec('CHECKPOINT');
    await this.#files?.settleAll();
    // What is counted of changes is only written now and then
    await this.query('SELECT pg_stat_force_next_flush()');
    const rows = await this.query(
      `SELECT quote_ident(pg_class.relname) AS name FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid
       WHERE n_dead_tup > $1 + $2 * greatest(reltuples, 0) OR n_mod_since_analyze > $1 + $3 * greatest(reltuples, 0)`,
      [LEAST_DEAD, SHARE_DEAD, SHARE_CHANGED],
    );
    for (const { name } of rows) await this.#engine.exec(`VACUUM (ANALYZE) ${String(name)}`);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

async function ask(engine: PGlite | Transaction, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await engine.query<Row>(text, [...values]);
  return rows;
}
