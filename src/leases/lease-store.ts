import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Lease } from './lease.ts';

/** Where leases outlive the process. */
export interface LeaseStore {
  load(): Lease[];
  /** All of them on disk, or none and an error. */
  write(leases: Iterable<Lease>): void;
  close(): void;
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

/** Leases in one SQLite file. Written ahead and synced: when `write` returns, a power cut loses nothing. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a lease file of this version. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#upsert = this.#database.prepare(
        'INSERT OR REPLACE INTO lease (address, client, mac, expires, kept, name) VALUES (?, ?, ?, ?, ?, ?)',
      );
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(): Lease[] {
    const select = this.#database.prepare('SELECT address, client, mac, expires, kept, name FROM lease');
    return Array.from(select.iterate(), readRow);
  }

  write(leases: Iterable<Lease>): void {
    this.#database.exec('BEGIN');
    try {
      for (const { address, client, mac, expires, kept, name } of leases) {
        this.#upsert.run(address, client, mac, expires, kept ? 1 : 0, name ?? null);
      }
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
      throw new Error(`${file}: expected lease file version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  }
}

function readRow(row: Record<string, SQLOutputValue>): Lease {
  const { address, client, mac, expires, kept, name } = row;
  const lease = {
    address: Number(address) as Ip4,
    client: String(client),
    mac: Number(mac) as Mac,
    expires: Number(expires),
    kept: kept === 1,
  };
  return typeof name === 'string' ? { ...lease, name } : lease;
}
