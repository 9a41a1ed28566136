import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import type { Clock } from '../system/clock.ts';
import { inTransaction } from '../system/database-file.ts';
import { leaveRoom } from '../system/leave-room.ts';
import type { EventFilter } from './event-filter.ts';
import type { RackEvent } from './event.ts';

/** Where events outlive the process. */
export interface EventStore {
  write(events: readonly RackEvent[]): void;
  /** The newest `limit`, oldest first. */
  find(filter: EventFilter & { readonly limit: number }): RackEvent[];
  /** Events are numbered as they come; 0 for none. */
  newest(): number;
  /** The `limit` oldest of those behind the number `after` and up to `until`, oldest first. */
  page(after: number, until: number, limit: number): EventPage;
  /** What is kept from now on; takes effect with the next `prune`. */
  bound(bounds: EventBounds): void;
  /** Forgets what is too old or too much, not all of it at once: to be called now and then. */
  prune(): void;
  close(): void;
}

export interface EventPage {
  readonly events: RackEvent[];
  /** That of the last of them; `until` where there are none. */
  readonly last: number;
}

/** Of all that is kept. 50 MiB hold some 200 boots of 1,000 machines. */
export interface EventBounds {
  readonly milliseconds: number;
  readonly bytes: number;
}

const PRUNE_EVERY = 1_000;
/** Forgetting takes its time on the rack's own thread: the rest has until the next time. */
const MOST_AT_ONCE = 20_000;
/** What is too much is cut to this share, so that cutting is seldom. */
const SHARE_KEPT = 0.95;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE event (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mac TEXT, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX event_mac ON event (mac, number) WHERE mac IS NOT NULL;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Events in one SQLite file, the newest within its bounds, and up to PRUNE_EVERY more. */
export class SqliteEventStore implements EventStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #hasFile: boolean;
  readonly #directory: string;
  #bounds: EventBounds;
  #sincePrune = 0;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a timeline of this version. */
  constructor(file: string, clock: Pick<Clock, 'now'>, bounds: EventBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#hasFile = file !== ':memory:';
    this.#directory = dirname(file);
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#insert = this.#database.prepare('INSERT INTO event (at, mac, kind, body) VALUES (?, ?, ?, ?)');
      this.prune();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  write(events: readonly RackEvent[]): void {
    if (this.#hasFile) leaveRoom(this.#directory);
    const sincePrune = this.#sincePrune + events.length;
    const prune = sincePrune >= PRUNE_EVERY;
    inTransaction(this.#database, 'BEGIN', () => {
      for (const event of events) this.#insert.run(event.at, event.mac ?? null, event.kind, JSON.stringify(event));
      // In the same transaction: a failure after COMMIT would make the caller write these events twice
      if (prune) this.prune();
    });
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

  newest(): number {
    return this.#number('SELECT max(number) AS n FROM event') ?? 0;
  }

  page(after: number, until: number, limit: number): EventPage {
    const rows = this.#database
      .prepare('SELECT number, body FROM event WHERE number > :after AND number <= :until ORDER BY number LIMIT :limit')
      .all({ after, until, limit });
    return {
      events: rows.map((row) => JSON.parse(String(row['body'])) as RackEvent),
      last: Number(rows.at(-1)?.['number'] ?? until),
    };
  }

  bound(bounds: EventBounds): void {
    this.#bounds = bounds;
  }

  prune(): void {
    const first = this.#number('SELECT min(number) AS n FROM event');
    if (first === undefined) return;
    const last = this.newest();
    const keepFrom = Math.max(this.#firstYoung() ?? last + 1, this.#firstWithin(first, last));
    const end = Math.min(keepFrom, first + MOST_AT_ONCE);
    if (end > first) this.#database.prepare('DELETE FROM event WHERE number < ?').run(end);
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

  /** In the order they came: what a clock that is set puts in the past stays for as long as what came before it. */
  #firstYoung(): number | undefined {
    const oldest = this.#clock.now() - this.#bounds.milliseconds;
    return this.#number('SELECT number AS n FROM event WHERE at >= ? ORDER BY number LIMIT 1', oldest);
  }

  /** Events are of much the same length: of the oldest, as many go as there are bytes too many. */
  #firstWithin(first: number, last: number): number {
    const pages = (this.#number('PRAGMA page_count') ?? 0) - (this.#number('PRAGMA freelist_count') ?? 0);
    const used = pages * (this.#number('PRAGMA page_size') ?? 0);
    if (used <= this.#bounds.bytes) return first;
    const kept = ((last - first + 1) * this.#bounds.bytes * SHARE_KEPT) / used;
    return last + 1 - Math.floor(kept);
  }

  /** The one number that a query gives; null is none. */
  #number(query: string, ...values: number[]): number | undefined {
    const row = this.#database.prepare(query).get(...values);
    const [value] = Object.values(row ?? {});
    return typeof value === 'number' ? value : undefined;
  }
}
