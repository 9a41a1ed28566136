import { mkdirSync } from 'node:fs';

import type { PGlite, Transaction } from '@electric-sql/pglite';

import type { Database, Row, Sql } from './database.ts';
import { tryAgain } from './try-again.ts';

/** PostgreSQL inside this process, its files in `directory`; `memory://` keeps them nowhere. One process at a time. */
export async function openEmbeddedDatabase(directory: string): Promise<Database> {
  // 30 MB of WebAssembly that a region on a PostgreSQL of its own need not load
  const { PGlite: Engine } = await import('@electric-sql/pglite');
  if (!directory.startsWith('memory:')) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return new EmbeddedDatabase(await Engine.create(directory));
}

class EmbeddedDatabase implements Database {
  readonly #engine: PGlite;

  constructor(engine: PGlite) {
    this.#engine = engine;
  }

  query(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return ask(this.#engine, text, values);
  }

  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return tryAgain(() =>
      this.#engine.transaction((transaction) => work({ query: (text, values = []) => ask(transaction, text, values) })),
    );
  }

  async listen(channel: string, hear: (payload: string) => void): Promise<void> {
    await this.#engine.listen(channel, hear);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

async function ask(engine: PGlite | Transaction, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await engine.query<Row>(text, [...values]);
  return rows;
}
