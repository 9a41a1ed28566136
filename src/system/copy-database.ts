import { closeSync, copyFileSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs';

/** A checkpoint takes some milliseconds, and comes after some thousand pages of leases. */
const MOST_TRIES = 100;
const LOG_HEADER = 32;

/**
 * Copies a database that someone may be writing to; false when it changed faster than that. A log that grows meanwhile only
 * has an end that counts for nothing yet. But a checkpoint moves pages into the file, and after one the log starts again from
 * its head: then it is all to be copied anew.
 */
export function copyDatabase(file: string, copy: string): boolean {
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
