import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { systemClock, type Clock } from '../system/clock.ts';
import type { ClientKey, Lease } from './lease.ts';

/** Where leases outlive the process. */
export interface LeaseStore {
  /** Why nothing can be written, when that was known at opening. */
  readonly fault?: string;
  /** What the wall clock said at the last write, in Unix seconds. */
  readonly lastWrite?: number | undefined;
  load(): Lease[];
  /** All of them on disk, or none and an error. None at all is written too: whether the disk takes it. */
  write(leases: Iterable<Lease>): void;
  close(): void;
}

/** The file is there and is not a sound lease file of this version. */
export class LeaseFileError extends Error {
  override readonly name = 'LeaseFileError';
}

const SCHEMA_VERSION = 1;

/**
 * Of a new file: leases that are renewed lie on pages of their own each, and the log takes whole pages. Of 1, 2 and
 * 4 KiB the smallest costs the least CPU for a commit of a few leases, by half.
 */
const PAGE_SIZE = 1024;
/** Pages in the log before they go to the file: 4 MiB. */
const CHECKPOINT_PAGES = 4096;
/** Rows of one statement: preparing and answering it costs as much as two rows do. */
const ROWS_AT_ONCE = 8;
const COLUMNS = 6;

const SCHEMA = `
  CREATE TABLE lease (
    address INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    mac INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    name TEXT
  ) STRICT;
  -- For people with sqlite3 at hand
  CREATE VIEW leases AS SELECT
    printf('%d.%d.%d.%d', address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255) AS address,
    printf('%02x:%02x:%02x:%02x:%02x:%02x', mac >> 40, (mac >> 32) & 255, (mac >> 24) & 255, (mac >> 16) & 255,
      (mac >> 8) & 255, mac & 255) AS mac,
    datetime(expires, 'unixepoch') AS expires, kept, name
  FROM lease;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Apart from the version: files of the first days have no such table. */
const CLOCK_SCHEMA =
  'CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY CHECK (id = 1), seen INTEGER NOT NULL) STRICT';

/** Leases in one SQLite file. Written ahead and synced: when `write` returns, a power cut loses nothing. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #upsert: StatementSync;
  readonly #upsertMany: StatementSync;
  readonly #tick: StatementSync;
  readonly #clock: Clock;
  #tickedAt = Number.NaN;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a lease file of this version. */
  constructor(file: string, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#tick = this.#database.prepare('INSERT OR REPLACE INTO clock (id, seen) VALUES (1, ?)');
      this.#begin = this.#database.prepare('BEGIN');
      this.#commit = this.#database.prepare('COMMIT');
      this.#upsert = this.#database.prepare(upsertOf(1));
      this.#upsertMany = this.#database.prepare(upsertOf(ROWS_AT_ONCE));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  get lastWrite(): number | undefined {
    return readLastWrite(this.#database);
  }

  /** Reads the whole file once; throws LeaseFileError for the first fault in its structure. */
  check(): void {
    const found = this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw new LeaseFileError(`expected a sound lease file, found: ${String(found)}`);
  }

  load(): Lease[] {
    return readLeases(this.#database);
  }

  write(leases: Iterable<Lease>): void {
    const now = Math.floor(this.#clock.now() / 1000);
    this.#begin.run();
    try {
      const rows = this.#writeRows(leases);
      // Without a row it is what asks whether the disk takes any; with rows once a second is enough
      if (rows === 0 || now !== this.#tickedAt) this.#tick.run(now);
      this.#commit.run();
      this.#tickedAt = now;
    } catch (error) {
      this.#tickedAt = Number.NaN;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Returns how many there were. */
  #writeRows(leases: Iterable<Lease>): number {
    let rows = 0;
    let values: (number | string | null)[] = [];
    for (const { address, client, mac, expires, kept, name } of leases) {
      rows++;
      values.push(
        address,
        typeof client === 'number' ? formatMac(client) : client,
        mac,
        expires,
        kept ? 1 : 0,
        name ?? null,
      );
      if (values.length < ROWS_AT_ONCE * COLUMNS) continue;
      this.#upsertMany.run(...values);
      values = [];
    }
    for (let at = 0; at < values.length; at += COLUMNS) this.#upsert.run(...values.slice(at, at + COLUMNS));
    return rows;
  }

  close(): void {
    this.#database.close();
  }

  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new LeaseFileError(`${file}: expected lease file version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    if (version === 0) this.#database.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
    this.#database.exec(
      `PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`,
    );
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    this.#database.exec(CLOCK_SCHEMA);
  }
}

function upsertOf(rows: number): string {
  const row = `(${'?, '.repeat(COLUMNS - 1)}?)`;
  const values = Array.from({ length: rows }, () => row).join(', ');
  return `INSERT OR REPLACE INTO lease (address, client, mac, expires, kept, name) VALUES ${values}`;
}

export function readLeases(database: DatabaseSync): Lease[] {
  const select = database.prepare('SELECT address, client, mac, expires, kept, name FROM lease');
  // A third of the time that objects take
  select.setReturnArrays(true);
  return Array.from(select.iterate() as Iterable<unknown> as Iterable<SQLOutputValue[]>, readRow);
}

/** What the wall clock said at the last write; undefined for a file of the first days. */
export function readLastWrite(database: DatabaseSync): number | undefined {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'clock'").get();
  const seen = isThere && database.prepare('SELECT seen FROM clock').get()?.['seen'];
  return seen === undefined ? undefined : Number(seen);
}

/** In the file a MAC is text like any other sign. */
export function readClientKey(text: string, mac: Mac): ClientKey {
  return text === formatMac(mac) ? mac : text;
}

function readRow([address, client, mac, expires, kept, name]: readonly SQLOutputValue[]): Lease {
  const lease = {
    address: Number(address) as Ip4,
    client: readClientKey(String(client), Number(mac) as Mac),
    mac: Number(mac) as Mac,
    expires: Number(expires),
    kept: kept === 1,
  };
  return typeof name === 'string' ? { ...lease, name } : lease;
}
