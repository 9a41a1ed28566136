import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** READONLY, IOERR, FULL and CANTOPEN. */
const DISK_CODES: ReadonlySet<number> = new Set([8, 10, 13, 14]);

/** Whether the file itself is at fault, by what SQLite said. */
export function isDamage(error: unknown): boolean {
  return [SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB].includes(codeOf(error));
}

/** Whether the disk and not the file is at fault. */
export function isDiskTrouble(error: unknown): boolean {
  return DISK_CODES.has(codeOf(error));
}

/** Whether someone else writes to it just now, and for longer than we waited. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === SQLITE_BUSY;
}

/** Renames a database with its log, so that a new one can take its place; gives its new name. `now`: Unix milliseconds. */
export function setDatabaseAside(file: string, now: number): string {
  const setAside = freeName(`${file}.corrupt-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`);
  for (const tail of ['-wal', '-shm', '']) if (existsSync(file + tail)) renameSync(file + tail, setAside + tail);
  return setAside;
}

/** Does `work` whole or not at all; `begin` is IMMEDIATE where another process may write, too. Throws what it throws, or SQLite. */
export function inTransaction(database: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => void): void {
  database.exec(begin);
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    // Some errors have ended it already
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let n = 2; existsSync(name); n++) name = `${wanted}-${n}`;
  return name;
}

/**
 * Opens without the -shm file that a log is otherwise read through; on a read-only disk without the log's file too.
 * `probe`: a query that reads of a table.
 */
export function openForReading(file: string, probe: string): DatabaseSync {
  const logSize = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const isolated = new DatabaseSync(file);
  try {
    isolated.exec('PRAGMA locking_mode = EXCLUSIVE');
    isolated.prepare(probe).get();
    return isolated;
  } catch (error) {
    isolated.close();
    // SQLite leaves the log out of an immutable file
    if (logSize > 0) throw error;
    return new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true });
  }
}

/** The primary result code of an error of SQLite's; 0 for any other. */
function codeOf(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 255 : 0;
}
