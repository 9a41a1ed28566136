import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { readLastWrite, readLeases } from './lease-store.ts';
import type { Lease } from './lease.ts';
import { readDamagedLeases } from './read-damaged-leases.ts';

/** A checkpoint takes some milliseconds, and comes after some thousand pages of leases. */
const MOST_TRIES = 100;
const LOG_HEADER = 32;

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
    const isWhole = copyWhole(file, copy);
    const read = readCopy(copy);
    return isWhole ? read : { damage: 'they change faster than they can be copied', ...read };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * A log that grows meanwhile only has an end that counts for nothing yet. But a checkpoint moves pages into the file, and
 * after one the log starts again from its head: then it is all to be copied anew.
 */
function copyWhole(file: string, copy: string): boolean {
  for (let tries = 1; ; tries++) {
    const before = marksOf(file);
    rmSync(`${copy}-wal`, { force: true });
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    copyFileSync(file, copy);
    if (marksOf(file) === before) return true;
    if (tries === MOST_TRIES) return false;
  }
}

/** What changes with each checkpoint: the file itself, and the log's header with its salts (sqlite.org/walformat.html). */
function marksOf(file: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${headOf(`${file}-wal`)}`;
}

function headOf(log: string): string {
  const head = Buffer.alloc(LOG_HEADER);
  if (!existsSync(log)) return '';
  const fd = openSync(log, 'r');
  try {
    return head.toString('hex', 0, readSync(fd, head));
  } finally {
    closeSync(fd);
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
    return { leases: readDamagedLeases(copy), damage: error instanceof Error ? error.message : String(error) };
  }
}
