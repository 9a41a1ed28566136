import { setTimeout as sleep } from 'node:timers/promises';

import { Client, escapeIdentifier, Pool, types, type ClientBase, type ClientConfig } from 'pg';

import type { Database, Isolation, Row, Sql } from './database.ts';
import { tryAgain } from './try-again.ts';

/** int8: none of ours is beyond 2^53. */
const INT8 = 20;
const MOST_CONNECTIONS = 10;
const CONNECT_MILLISECONDS = 5_000;
/** A question that takes longer is broken off, so that none keeps others from their connection for good. */
const STATEMENT_MILLISECONDS = 30_000;
const FIRST_RETRY = 100;
const LONGEST_RETRY = 5_000;

/** A PostgreSQL server, by its URL. Throws when it does not answer. */
export async function openPostgresDatabase(url: string, complain: (error: unknown) => void): Promise<Database> {
  const database = new PostgresDatabase(url, complain);
  try {
    await database.query('SELECT 1');
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

class PostgresDatabase implements Database {
  readonly #pool: Pool;
  readonly #options: ClientConfig;
  readonly #complain: (error: unknown) => void;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<Client>();

  constructor(url: string, complain: (error: unknown) => void) {
    this.#complain = complain;

    this.#options = {
      connectionString: url,
      types: { getTypeParser: readType },
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      application_name: 'rackboot region',
    };
    this.#pool = new Pool({
      ...this.#options,
      max: MOST_CONNECTIONS,
      statement_timeout: STATEMENT_MILLISECONDS,
      idle_in_transaction_session_timeout: STATEMENT_MILLISECONDS,
    });
    // Of a connection nobody uses just now: the next question opens another
    this.#pool.on('error', complain);
  }

  query(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return ask(this.#pool, text, values);
  }

  transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'serializable'): Promise<T> {
    return tryAgain(() => this.#tryTransaction(work, isolation));
  }

  async listen(channel: string, hear: (payload: string) => void, lost: () => void): Promise<void> {
    const client = await this.#hearFrom(channel, hear);
    client.once('end', () => void this.#listenAgain(channel, hear, lost));
  }

  tend(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#listeners].map((client) => client.end()));
    await this.#pool.end();
  }

  async #tryTransaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`);
      const result = await work({ query: (text, values = []) => ask(client, text, values) });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((fault: Error) => (broken = fault));
      throw error;
    } finally {
      // A connection that can't even roll back is not for others
      client.release(broken);
    }
  }

  async #hearFrom(channel: string, hear: (payload: string) => void): Promise<Client> {
    const client = new Client({ ...this.#options, keepAlive: true });
    client.on('error', this.#complain);
    client.on('notification', ({ payload }) => hear(payload ?? ''));
    await client.connect();
    await client.query(`LISTEN ${escapeIdentifier(channel)}`);
    this.#listeners.add(client);
    client.once('end', () => this.#listeners.delete(client));
    return client;
  }

  async #listenAgain(channel: string, hear: (payload: string) => void, lost: () => void): Promise<void> {
    for (let wait = FIRST_RETRY; !this.#closing.signal.aborted; wait = Math.min(wait * 2, LONGEST_RETRY)) {
      try {
        await this.listen(channel, hear, lost);
        lost();
        return;
      } catch (error) {
        this.#complain(error);
        await sleep(wait, undefined, { ref: false });
      }
    }
  }
}

async function ask(client: Pool | ClientBase, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
  return rows;
}

function readType(type: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return type === INT8 ? Number : (types.getTypeParser(type, format ?? 'text') as (text: string) => unknown);
}
