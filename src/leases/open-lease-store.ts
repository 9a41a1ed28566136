import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

import type { Clock } from '../system/clock.ts';
import { LeaseFileError, readLastWrite, readLeases, SqliteLeaseStore, type LeaseStore } from './lease-store.ts';
import type { Lease } from './lease.ts';
import { readDamagedLeases } from './read-damaged-leases.ts';

/** A lease file that could not be used was set aside, and a new one took its place. */
interface Replacement {
  readonly reason: string;
  /** Where the old file is now. */
  readonly setAside: string;
  /** Leases that could be read in it and are in the new one. */
  readonly recovered: number;
}

export interface OpenedStore {
  readonly store: LeaseStore;
  readonly replaced?: Replacement;
}

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** READONLY, IOERR, FULL and CANTOPEN: the disk and not the file is at fault. */
const DISK_CODES: ReadonlySet<number> = new Set([8, 10, 13, 14]);

/**
 * Opens or creates the lease file. A damaged one, or one of another version, is set aside and what can be read of it
 * is taken over. On a disk that takes no writes the leases are read, and writing is tried anew each time.
 */
export function openLeaseStore(file: string, clock: Clock): OpenedStore {
  try {
    return { store: openChecked(file, clock) };
  } catch (error) {
    if (isDamage(error)) return replace(file, clock, error);
    if (DISK_CODES.has(codeOf(error)) && existsSync(file)) return { store: new StrandedStore(file, clock, error) };
    throw error;
  }
}

function openChecked(file: string, clock: Clock): SqliteLeaseStore {
  const store = new SqliteLeaseStore(file, clock);
  try {
    store.check();
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

function replace(file: string, clock: Clock, error: unknown): OpenedStore {
  const setAside = freeName(`${file}.corrupt-${new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`);
  for (const tail of ['-wal', '-shm', '']) if (existsSync(file + tail)) renameSync(file + tail, setAside + tail);
  const leases = readDamagedLeases(setAside);
  const store = new SqliteLeaseStore(file, clock);
  store.write(leases);
  return { store, replaced: { reason: messageOf(error), setAside, recovered: leases.length } };
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let n = 2; existsSync(name); n++) name = `${wanted}-${n}`;
  return name;
}

/** Leases that were read from a disk on which nothing can be written. Each write tries to open the file properly. */
class StrandedStore implements LeaseStore {
  readonly fault: string;
  readonly lastWrite: number | undefined;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #leases: readonly Lease[];
  #store: SqliteLeaseStore | undefined;

  constructor(file: string, clock: Clock, cause: unknown) {
    this.#file = file;
    this.#clock = clock;
    this.fault = messageOf(cause);
    const database = openForReading(file);
    try {
      this.#leases = readLeases(database);
      this.lastWrite = readLastWrite(database);
    } finally {
      database.close();
    }
  }

  load(): Lease[] {
    return [...this.#leases];
  }

  write(leases: Iterable<Lease>): void {
    this.#store ??= openChecked(this.#file, this.#clock);
    this.#store.write(leases);
  }

  close(): void {
    this.#store?.close();
  }
}

/** Opens without the -shm file that a log is otherwise read through; on a read-only disk without the log's file too. */
function openForReading(file: string): DatabaseSync {
  const logSize = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const isolated = new DatabaseSync(file);
  try {
    isolated.exec('PRAGMA locking_mode = EXCLUSIVE');
    isolated.prepare('SELECT count(*) FROM lease').get();
    return isolated;
  } catch (error) {
    isolated.close();
    // SQLite leaves the log out of an immutable file
    if (logSize > 0) throw error;
    return new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true });
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof LeaseFileError || [SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB].includes(codeOf(error));
}

/** The primary result code of an error of SQLite's; 0 for any other. */
function codeOf(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 255 : 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
