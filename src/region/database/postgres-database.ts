import { setTimeout as sleep } from 'node:timers/promises';

import { Client, escapeIdentifier, Pool, types, type ClientBase, type ClientConfig } from 'pg';

import { InTurn } from '../in-turn.ts';
import type { Database, Isolation, Row, Sql } from './database.ts';
import { tryAgain } from './try-again.ts';

/** int8: none of ours is beyond 2^53. */
const INT8 = 20;
const MOST_CONNECTIONS = 10;
const FIRST_RETRY = 100;
const LONGEST_RETRY = 5_000;

/** How long a server is waited for. Milliseconds. */
interface PostgresPatience {
  readonly connect: number;
  /** A question that takes longer is broken off by the server, so that none keeps others from their connection for good. */
  readonly statement: number;
  /** For the server to say so: one that is cut off, or whose address another has now, says nothing, and TCP finds out in a quarter of an hour. */
  readonly answer: number;
  /** Between two questions whether a connection is there still by which nothing is asked. */
  readonly heartbeat: number;
}

const PATIENCE: PostgresPatience = { connect: 5_000, statement: 30_000, answer: 5_000, heartbeat: 10_000 };

/** A PostgreSQL server, by its URL. Throws when it does not answer. */
export async function openPostgresDatabase(
  url: string,
  complain: (error: unknown) => void,
  patience = PATIENCE,
): Promise<Database> {
  const database = new PostgresDatabase(url, complain, patience);
  try {
    await database.query('SELECT 1');
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * What changes something and goes by what is there is done one after the other, by all processes: several at once would be in each
 * other's way until some give up. Before the first question, as a transaction sees what was there at that (PostgreSQL, LOCK).
 */
const TAKE_TURN = 'LOCK TABLE turn IN EXCLUSIVE MODE';

class PostgresDatabase implements Database {
  readonly #pool: Pool;
  readonly #options: ClientConfig;
  readonly #patience: PostgresPatience;
  readonly #turns = new InTurn();
  readonly #complain: (error: unknown) => void;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<Client>();

  constructor(url: string, complain: (error: unknown) => void, patience: PostgresPatience) {
    this.#complain = complain;
    this.#patience = patience;
    this.#options = {
      connectionString: url,
      types: { getTypeParser: readType },
      connectionTimeoutMillis: patience.connect,
      application_name: 'rackboot region',
    };
    this.#pool = new Pool({
      ...this.#options,
      max: MOST_CONNECTIONS,
      statement_timeout: patience.statement,
      idle_in_transaction_session_timeout: patience.statement,
      query_timeout: patience.statement + patience.answer,
    });
    // Of a connection nobody uses just now: the next question opens another
    this.#pool.on('error', complain);
  }

  query(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return ask(this.#pool, text, values);
  }

  transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'serializable'): Promise<T> {
    const attempt = (): Promise<T> => tryAgain(() => this.#tryTransaction(work, isolation));
    // Who waits for the others of this process waits without a connection, of which there are few
    return isolation === 'serializable' ? this.#turns.run(attempt) : attempt();
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
    // The pool hears of a connection that breaks only while nobody has it; what nobody hears of ends the process
    const note = (error: Error): void => void (broken = error);
    client.on('error', note);
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`);
      if (isolation === 'serializable') await client.query(TAKE_TURN);
      const result = await work({ query: (text, values = []) => ask(client, text, values) });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      if (isUnanswered(error)) note(error);
      else await client.query('ROLLBACK').catch(note);
      throw error;
    } finally {
      client.off('error', note);
      // A connection that can't even roll back is not for others
      client.release(broken);
    }
  }

  async #hearFrom(channel: string, hear: (payload: string) => void): Promise<Client> {
    const client = new Client({ ...this.#options, query_timeout: this.#patience.answer });
    client.on('error', this.#complain);
    client.on('notification', ({ payload }) => hear(payload ?? ''));
    await client.connect();
    await client.query(`LISTEN ${escapeIdentifier(channel)}`);
    this.#listeners.add(client);
    const ended = new AbortController();
    client.once('end', () => {
      ended.abort();
      this.#listeners.delete(client);
    });
    void this.#feel(client, ended.signal);
    return client;
  }

  /** A connection that only hears would never find out that there is nobody at its other end. */
  async #feel(client: Client, ended: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await sleep(this.#patience.heartbeat, undefined, { signal: ended });
        await client.query('SELECT 1');
      }
    } catch (error) {
      if (ended.aborted) return;
      this.#complain(error);
      await client.end();
    }
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

/** Of `pg`, which has no code for it. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

async function ask(client: Pool | ClientBase, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
  return rows;
}

function readType(type: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return type === INT8 ? Number : (types.getTypeParser(type, format ?? 'text') as (text: string) => unknown);
}
