import { DatabaseSync, type StatementSync } from 'node:sqlite';

import type { RackEvent } from './event.ts';
import type { EventFilter } from './timeline.ts';

/** Where events outlive the process. */
export interface EventStore {
  write(events: readonly RackEvent[]): void;
  /** The newest `limit`, oldest first. */
  find(filter: EventFilter & { readonly limit: number }): RackEvent[];
  close(): void;
}

/** Some 200 boots of 1,000 machines; about 50 MB. */
const MOST_EVENTS = 200_000;
const PRUNE_EVERY = 5_000;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE event (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mac TEXT, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX event_mac ON event (mac, number) WHERE mac IS NOT NULL;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Events in one SQLite file that never holds more than a bound. */
export class SqliteEventStore implements EventStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #most: number;
  #sincePrune = 0;

  constructor(file: string, most = MOST_EVENTS) {
    this.#most = most;
    this.#database = new DatabaseSync(file);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else if (version !== SCHEMA_VERSION) {
      throw new Error(`${file}: expected timeline version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#insert = this.#database.prepare('INSERT INTO event (at, mac, kind, body) VALUES (?, ?, ?, ?)');
    this.#prune();
  }

  write(events: readonly RackEvent[]): void {
    this.#database.exec('BEGIN');
    try {
      for (const event of events) this.#insert.run(event.at, event.mac ?? null, event.kind, JSON.stringify(event));
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#sincePrune += events.length;
    if (this.#sincePrune >= PRUNE_EVERY) this.#prune();
  }

  find({ mac, kind, limit }: EventFilter & { readonly limit: number }): RackEvent[] {
    const select = this.#database.prepare(`
      SELECT body FROM event WHERE (?1 IS NULL OR mac = ?1) AND (?2 IS NULL OR kind = ?2 OR kind GLOB ?2 || '.*')
      ORDER BY number DESC LIMIT ?3`);
    const rows = select.all(mac ?? null, kind ?? null, limit);
    return rows.map((row) => JSON.parse(String(row['body'])) as RackEvent).toReversed();
  }

  close(): void {
    this.#database.close();
  }

  #prune(): void {
    this.#sincePrune = 0;
    this.#database.prepare('DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?').run(this.#most);
  }
}
