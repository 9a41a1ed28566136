import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { isDamage, openForReading, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import { BootFileError, readBoots, SqliteBootStore, type BootChanges, type BootMemory } from './boot-store.ts';
import { readDamagedBoots } from './read-damaged-boots.ts';

/** Where boot states outlive the process. */
export interface BootStore {
  /** Throws when the disk does not take it; the same may then be tried again. */
  write(changes: BootChanges): void;
  close(): void;
}

export interface OpenedBoots extends BootMemory {
  readonly store: BootStore;
  /** A damaged file was set aside; `recovered` machines could be read in it. */
  readonly replaced?: { readonly reason: string; readonly setAside: string; readonly recovered: number };
  /** Why nothing can be written now. */
  readonly fault?: string;
}

/**
 * Opens or creates the file of boot states; never throws. Whatever can't be read counts as lost: then nobody knows who had
 * an entry that is for once, and to boot a disk can be mended where to install over it can't. `now`: Unix milliseconds.
 */
export function openBootStore(file: string, now: number): OpenedBoots {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const store = new SqliteBootStore(file);
    return { store, ...store.load() };
  } catch (error) {
    return error instanceof BootFileError || isDamage(error)
      ? replace(file, now, messageOf(error))
      : stranded(file, now, messageOf(error));
  }
}

function replace(file: string, now: number, reason: string): OpenedBoots {
  try {
    const setAside = setDatabaseAside(file, now);
    const rows = readDamagedBoots(setAside);
    const store = new SqliteBootStore(file);
    store.write({ rows: rows.map((row) => [row, row]), lostSince: now });
    return { store, rows, lostSince: now, replaced: { reason, setAside, recovered: rows.length } };
  } catch (error) {
    return stranded(file, now, `${reason}; ${messageOf(error)}`);
  }
}

/** The disk takes no writes: what is there is read, and the file is opened anew for each write. */
function stranded(file: string, now: number, fault: string): OpenedBoots {
  const store = new StrandedStore(file);
  if (isNew(file)) return { store, rows: [], fault };
  try {
    const database = openForReading(file, 'SELECT count(*) FROM boot');
    try {
      return { store, ...readBoots(database), fault };
    } finally {
      database.close();
    }
  } catch {
    return { store, rows: [], lostSince: now, fault };
  }
}

/** Nothing is there: not what can't be reached now, like a state directory that links to a volume that is not mounted. */
function isNew(file: string): boolean {
  try {
    if (lstatSync(file, { throwIfNoEntry: false })) return false;
    const directory = dirname(file);
    return (
      statSync(directory, { throwIfNoEntry: false }) !== undefined || !lstatSync(directory, { throwIfNoEntry: false })
    );
  } catch (error) {
    // A file where a directory should be: nothing was ever written under it
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
  }
}

class StrandedStore implements BootStore {
  readonly #file: string;
  #store: SqliteBootStore | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  write(changes: BootChanges): void {
    if (!this.#store) {
      mkdirSync(dirname(this.#file), { recursive: true });
      this.#store = new SqliteBootStore(this.#file);
    }
    this.#store.write(changes);
  }

  close(): void {
    this.#store?.close();
  }
}
