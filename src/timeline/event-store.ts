import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import type { EventFilter } from './event-filter.ts';
import type { RackEvent } from './event.ts';

/** Where events outlive the process. */
export interface EventStore {
  write(events: readonly RackEvent[]): void;
  /** The newest `limit`, oldest first. */
  find(filter: EventFilter & { readonly limit: number }): RackEvent[];
  close(): void;
}

/** Some 200 boots of 1,000 machines; about 50 MB. */
const MOST_EVENTS = 200_000;
/** What a nearly full disk has left is for leases: the timeline explains, they promise. */
const BYTES_FOR_LEASES = 8 * 1024 * 1024;
const PRUNE_EVERY = 5_000;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE event (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mac TEXT, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX event_mac ON event (mac, number) WHERE mac IS NOT NULL;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Events in one SQLite file that holds the newest `most`, and up to PRUNE_EVERY more. */
export class SqliteEventStore implements EventStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #most: number;
  readonly #hasFile: boolean;
  readonly #directory: string;
  #sincePrune = 0;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a timeline of this version. */
  constructor(file: string, most = MOST_EVENTS) {
    this.#most = most;
    this.#hasFile = file !== ':memory:';
    this.#directory = dirname(file);
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#insert = this.#database.prepare('INSERT INTO event (at, mac, kind, body) VALUES (?, ?, ?, ?)');
      this.#prune();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  write(events: readonly RackEvent[]): void {
    if (this.#hasFile) leaveRoom(this.#directory);
    const sincePrune = this.#sincePrune + events.length;
    const prune = sincePrune >= PRUNE_EVERY;
    this.#database.exec('BEGIN');
    try {
      for (const event of events) this.#insert.run(event.at, event.mac ?? null, event.kind, JSON.stringify(event));
      // In the same transaction: a failure after COMMIT would make the caller write these events twice
      if (prune) this.#prune();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#sincePrune = prune ? 0 : sincePrune;
  }

  find({ mac, kind, limit }: EventFilter & { readonly limit: number }): RackEvent[] {
    // Only what is asked stands in the query: with `? IS NULL OR mac = ?` SQLite would not use the index
    const conditions = ['true'];
    if (mac !== undefined) conditions.push('mac = :mac');
    if (kind !== undefined) conditions.push("(kind = :kind OR substr(kind, 1, length(:kind) + 1) = :kind || '.')");
    const select = this.#database.prepare(
      `SELECT body FROM event WHERE ${conditions.join(' AND ')} ORDER BY number DESC LIMIT :limit`,
    );
    const rows = select.all({ limit, ...(mac !== undefined && { mac }), ...(kind !== undefined && { kind }) });
    return rows.map((row) => JSON.parse(String(row['body'])) as RackEvent).toReversed();
  }

  close(): void {
    this.#database.close();
  }

  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new Error(`${file}: expected timeline version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  }

  #prune(): void {
    this.#database.prepare('DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?').run(this.#most);
  }
}

function leaveRoom(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free < BYTES_FOR_LEASES) throw new Error(`${directory} has ${free} bytes left: they are kept for leases`);
}
