import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Of the PostgreSQL that is inside: what it makes has this in PG_VERSION, and it reads no other. */
const VERSION = '18';
/** PG_CONTROL_FILE_SIZE: never more and never less. */
const CONTROL_SIZE = 8192;
const LOG_FILE = /^[0-9A-F]{24}$/;

/**
 * Throws a sentence unless `directory` is empty or holds a database that looks whole: the engine would make a new one over what is left of
 * an old one, and ends in the middle of its work where files are missing.
 */
export function checkEmbeddedFiles(directory: string): void {
  if (!statSync(directory).isDirectory()) throw new DamagedDatabase(directory, 'it is no directory');
  if (readdirSync(directory).length === 0) return;
  const fault = faultOf(directory);
  if (fault !== undefined) throw new DamagedDatabase(directory, fault);
}

function faultOf(directory: string): string | undefined {
  const versionFile = join(directory, 'PG_VERSION');
  if (!existsSync(versionFile)) return 'it holds files, but no PG_VERSION';
  const version = readFileSync(versionFile, 'utf8').trim();
  if (version !== VERSION) {
    return /^\d{1,3}$/.test(version)
      ? `it is of PostgreSQL ${version}, and this rackboot has ${VERSION}`
      : 'its PG_VERSION holds no version';
  }
  if (sizeOf(join(directory, 'global', 'pg_control')) !== CONTROL_SIZE) return 'its global/pg_control is not whole';
  const log = join(directory, 'pg_wal');
  const hasLog = existsSync(log) && readdirSync(log).some((name) => LOG_FILE.test(name) && sizeOf(join(log, name)) > 0);
  return hasLog ? undefined : 'its log, pg_wal, is gone';
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The message is for an operator. */
export class DamagedDatabase extends Error {
  override readonly name = 'DamagedDatabase';

  constructor(directory: string, fault: string, options?: ErrorOptions) {
    super(
      `the database in ${directory} can not be used: ${fault}; restore all of it from a copy, or move it away to begin anew`,
      options,
    );
  }
}
