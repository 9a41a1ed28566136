import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { systemClock, type Clock } from '../system/clock.ts';
import type { Lease } from './lease.ts';

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
  readonly #upsert: StatementSync;
  readonly #tick: StatementSync;
  readonly #clock: Clock;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a lease file of this version. */
  constructor(file: string, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#tick = this.#database.prepare('INSERT OR REPLACE INTO clock (id, seen) VALUES (1, ?)');
      this.#upsert = this.#database.prepare(
        'INSERT OR REPLACE INTO lease (address, client, mac, expires, kept, name) VALUES (?, ?, ?, ?, ?, ?)',
      );
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
    this.#database.exec('BEGIN');
    try {
      for (const { address, client, mac, expires, kept, name } of leases) {
        this.#upsert.run(address, client, mac, expires, kept ? 1 : 0, name ?? null);
      }
      this.#tick.run(Math.floor(this.#clock.now() / 1000));
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new LeaseFileError(`${file}: expected lease file version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    this.#database.exec(CLOCK_SCHEMA);
  }
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

function readRow([address, client, mac, expires, kept, name]: readonly SQLOutputValue[]): Lease {
  const lease = {
    address: Number(address) as Ip4,
    client: String(client),
    mac: Number(mac) as Mac,
    expires: Number(expires),
    kept: kept === 1,
  };
  return typeof name === 'string' ? { ...lease, name } : lease;
}
