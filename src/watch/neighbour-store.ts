import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { toIp4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { NeighbourFact } from '../service/watch-letters.ts';
import { inTransaction, isDamage, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import type { NeighbourKey, NeighbourStore } from './neighbour-keeper.ts';

/** Whoever copies the file has it for a moment; the wire can wait so long, as frames do in the kernel. */
const BUSY_MILLISECONDS = 1_000;

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE neighbour (
    interface TEXT NOT NULL,
    vlan INTEGER NOT NULL,
    inner_vlan INTEGER NOT NULL,
    address INTEGER NOT NULL,
    mac INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (interface, vlan, inner_vlan, address, mac)
  ) STRICT, WITHOUT ROWID;
  -- For people with sqlite3 at hand
  CREATE VIEW neighbours AS SELECT
    interface, vlan, inner_vlan,
    printf('%d.%d.%d.%d', address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255) AS address,
    printf('%02x:%02x:%02x:%02x:%02x:%02x', mac >> 40, (mac >> 32) & 255, (mac >> 24) & 255, (mac >> 16) & 255,
      (mac >> 8) & 255, mac & 255) AS mac,
    datetime(first / 1000, 'unixepoch') AS first, datetime(last / 1000, 'unixepoch') AS last
  FROM neighbour;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The file is there and is not one of this version. */
class NeighbourFileError extends Error {
  override readonly name = 'NeighbourFileError';
}

/** Neighbours in one SQLite file. A power cut may lose the last ones, which are then seen again. */
class SqliteNeighbourStore implements NeighbourStore {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #forget: StatementSync;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not one of this version. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: BUSY_MILLISECONDS });
    try {
      this.#migrate(file);
      this.#upsert = this.#database.prepare('INSERT OR REPLACE INTO neighbour VALUES (?, ?, ?, ?, ?, ?, ?)');
      this.#delete = this.#database.prepare(
        'DELETE FROM neighbour WHERE interface = ? AND vlan = ? AND inner_vlan = ? AND address = ? AND mac = ?',
      );
      this.#forget = this.#database.prepare('DELETE FROM neighbour WHERE last < ?');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Reads only, so that a disk that is full is no trouble at a start. */
  load(since: number, most: number): NeighbourFact[] {
    const rows = this.#database
      .prepare('SELECT * FROM (SELECT * FROM neighbour WHERE last >= ? ORDER BY last DESC LIMIT ?) ORDER BY last')
      .all(since, most);
    return rows.map((row) => ({
      interface: String(row['interface']),
      vlan: Number(row['vlan']),
      innerVlan: Number(row['inner_vlan']),
      address: toIp4(Number(row['address'])),
      mac: Number(row['mac']) as Mac,
      firstSeen: Number(row['first']),
      lastSeen: Number(row['last']),
      isKnown: true,
    }));
  }

  write(changed: readonly NeighbourFact[], gone: readonly NeighbourKey[], since: number): void {
    inTransaction(this.#database, 'BEGIN', () => {
      this.#forget.run(since);
      for (const { interface: device, vlan, innerVlan, address, mac } of gone)
        this.#delete.run(device, vlan, innerVlan, address, mac);
      for (const { interface: device, vlan, innerVlan, address, mac, firstSeen, lastSeen } of changed)
        this.#upsert.run(device, vlan, innerVlan, address, mac, firstSeen, lastSeen);
    });
  }

  close(): void {
    this.#database.close();
  }

  #migrate(file: string): void {
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) this.#database.exec(SCHEMA);
    else if (version !== SCHEMA_VERSION)
      throw new NeighbourFileError(`${file}: expected version ${SCHEMA_VERSION}, found ${String(version)}`);
  }
}

export interface OpenedNeighbours {
  readonly store: NeighbourStore;
  /** A damaged file was set aside. */
  readonly replaced?: { readonly reason: string; readonly setAside: string };
}

/** Opens or creates the file of neighbours; throws where the disk does not let it. `now`: Unix milliseconds. */
export function openNeighbourStore(file: string, now: number): OpenedNeighbours {
  mkdirSync(dirname(file), { recursive: true });
  try {
    return { store: sound(file) };
  } catch (error) {
    if (!(error instanceof NeighbourFileError) && !isDamage(error)) throw error;
    const reason = messageOf(error);
    const setAside = setDatabaseAside(file, now);
    return { store: new SqliteNeighbourStore(file), replaced: { reason, setAside } };
  }
}

/** Of a damaged file that opens, reading tells. */
function sound(file: string): NeighbourStore {
  const store = new SqliteNeighbourStore(file);
  try {
    store.load(0, 1);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}
