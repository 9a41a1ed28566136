import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { BootState } from '../boot/boot-states.ts';
import { inTransaction } from '../system/database-file.ts';
import type { BootRow } from './boot-row.ts';
import type { BootKey } from './boot-sign.ts';
import { readProgress } from './read-progress.ts';

/** What is to be on disk: rows, keys without a row any more, and when the memory was lost, if it was. */
export interface BootChanges {
  readonly rows: readonly (readonly [BootKey, BootRow | undefined])[];
  readonly lostSince: number | undefined;
}

/** What a file holds. */
export interface BootMemory {
  readonly rows: readonly BootRow[];
  readonly lostSince?: number | undefined;
}

/** The file is there and is not a sound one of this version. */
export class BootFileError extends Error {
  override readonly name = 'BootFileError';
}

export const SELECT_BOOTS =
  'SELECT mac, entry, host, asked, address, progress, heard, state, since, boots, within FROM boot';
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE boot (
    mac INTEGER NOT NULL,
    entry TEXT NOT NULL,
    host TEXT,
    asked INTEGER NOT NULL,
    address INTEGER,
    progress TEXT NOT NULL,
    heard INTEGER NOT NULL,
    state TEXT NOT NULL,
    since INTEGER,
    boots INTEGER,
    within INTEGER,
    PRIMARY KEY (mac, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mark (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  -- For people with sqlite3 at hand
  CREATE VIEW boots AS SELECT
    printf('%02x:%02x:%02x:%02x:%02x:%02x', mac >> 40, (mac >> 32) & 255, (mac >> 24) & 255, (mac >> 16) & 255,
      (mac >> 8) & 255, mac & 255) AS mac,
    entry, state, datetime(since / 1000, 'unixepoch') AS since, datetime(asked / 1000, 'unixepoch') AS asked
  FROM boot;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Boot states in one SQLite file. When `write` returns, a power cut loses nothing of it. */
export class SqliteBootStore {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a sound file of this version. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      const found = this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      if (found !== 'ok') throw new BootFileError(`expected a sound file of boot states, found: ${String(found)}`);
      this.#upsert = this.#database.prepare('INSERT OR REPLACE INTO boot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      this.#delete = this.#database.prepare('DELETE FROM boot WHERE mac = ? AND entry = ?');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(): BootMemory {
    return readBoots(this.#database);
  }

  write({ rows, lostSince }: BootChanges): void {
    inTransaction(this.#database, 'BEGIN', () => {
      for (const [{ mac, entry }, row] of rows) {
        if (row) this.#upsert.run(...columnsOf(row));
        else this.#delete.run(mac, entry);
      }
      this.#database.exec("DELETE FROM mark WHERE name = 'lost'");
      if (lostSince !== undefined)
        this.#database.prepare("INSERT INTO mark (name, at) VALUES ('lost', ?)").run(lostSince);
    });
  }

  close(): void {
    this.#database.close();
  }

  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new BootFileError(`${file}: expected boot states of version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  }
}

export function readBoots(database: DatabaseSync): BootMemory {
  const rows = database.prepare(SELECT_BOOTS).all().flatMap(readBootRow);
  const lostSince = database.prepare("SELECT at FROM mark WHERE name = 'lost'").get()?.['at'];
  return { rows, lostSince: typeof lostSince === 'number' ? lostSince : undefined };
}

/** None when it is not one that we wrote. */
export function readBootRow(columns: Record<string, SQLOutputValue>): BootRow[] {
  const { mac, entry, host, asked, address, progress, heard } = columns;
  const state = readState(columns);
  if (typeof mac !== 'number' || typeof entry !== 'string' || !state) return [];
  return [
    {
      mac: mac as Mac,
      entry,
      ...(typeof host === 'string' && { host }),
      askedAt: Number(asked),
      ...(typeof address === 'number' && { address: address as Ip4 }),
      ...readProgress(String(progress)),
      heardAt: Number(heard),
      state,
    },
  ];
}

function readState({ state, since, boots, within }: Record<string, SQLOutputValue>): BootState | undefined {
  const at = Number(since);
  if (state === 'delivered' || state === 'reported') return { kind: 'done', by: state, since: at };
  if (state === 'held') return { kind: 'held', boots: Number(boots), withinSeconds: Number(within), since: at };
  return state === 'armed' ? { kind: 'armed' } : undefined;
}

function columnsOf(row: BootRow): (number | string | null)[] {
  const { mac, entry, host = null, askedAt, address = null, heardAt, state, files, isCounted, boots } = row;
  const progress = JSON.stringify({ files, isCounted, boots });
  const front = [mac, entry, host, whole(askedAt), address, progress, whole(heardAt)];
  if (state.kind === 'armed') return [...front, 'armed', null, null, null];
  if (state.kind === 'done') return [...front, state.by, whole(state.since), null, null];
  return [...front, 'held', whole(state.since), state.boots, state.withinSeconds];
}

/** A monotonic clock has fractions. */
function whole(milliseconds: number): number {
  return Math.floor(milliseconds);
}
