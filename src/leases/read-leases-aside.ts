import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { copyDatabase } from '../system/copy-database.ts';
import { messageOf } from '../system/message-of.ts';
import { readLastWrite, readLeases } from './lease-store.ts';
import type { Lease } from './lease.ts';
import { readDamagedLeases } from './read-damaged-leases.ts';

export interface LeasesAside {
  readonly leases: readonly Lease[];
  /** Unix seconds. */
  readonly lastWrite?: number;
  /** Why they may not be all, or not of one moment. */
  readonly damage?: string;
}

/**
 * The leases of a file that a daemon may be writing to, without a touch: even a reader of SQLite's makes or marks the -shm
 * file, so copies of file and log are read. Undefined where there is no file; throws when it can't be read.
 */
export function readLeasesAside(file: string): LeasesAside | undefined {
  if (!statSync(file, { throwIfNoEntry: false })) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-leases-'));
  try {
    const copy = join(directory, 'leases.db');
    const isWhole = copyDatabase(file, copy);
    const read = readCopy(copy);
    return isWhole ? read : { damage: 'they change faster than they can be copied', ...read };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readCopy(copy: string): LeasesAside {
  try {
    const database = new DatabaseSync(copy);
    try {
      const lastWrite = readLastWrite(database);
      return { leases: readLeases(database), ...(lastWrite === undefined ? {} : { lastWrite }) };
    } finally {
      database.close();
    }
  } catch (error) {
    return { leases: readDamagedLeases(copy), damage: messageOf(error) };
  }
}
