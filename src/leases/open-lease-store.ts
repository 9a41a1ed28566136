import { existsSync } from 'node:fs';

import type { Clock } from '../system/clock.ts';
import { isDamage, isDiskTrouble, openForReading, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
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

/**
 * Opens or creates the lease file. A damaged one, or one of another version, is set aside and what can be read of it
 * is taken over. On a disk that takes no writes the leases are read, and writing is tried anew each time.
 */
export function openLeaseStore(file: string, clock: Clock): OpenedStore {
  try {
    return { store: openChecked(file, clock) };
  } catch (error) {
    if (error instanceof LeaseFileError || isDamage(error)) return replace(file, clock, error);
    if (isDiskTrouble(error) && existsSync(file)) return { store: new StrandedStore(file, clock, error) };
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
  const setAside = setDatabaseAside(file, clock.now());
  const leases = readDamagedLeases(setAside);
  const store = new SqliteLeaseStore(file, clock);
  store.write(leases);
  return { store, replaced: { reason: messageOf(error), setAside, recovered: leases.length } };
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
    const database = openForReading(file, 'SELECT count(*) FROM lease');
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
