import { statSync, type Stats } from 'node:fs';

/** What an operator gave is no file that can be served. */
export class NoFileError extends Error {
  override readonly name = 'NoFileError';
}

/**
 * A regular file with something in it: a pipe would be waited for without end, a device gives what it likes, and a machine boots
 * nothing out of an empty one. Links are followed. Throws NoFileError.
 */
export function demandFile(file: string): void {
  const stat = tryStat(file);
  if (!stat.isFile()) throw new NoFileError(`${file}: expected a file, found ${kindOf(stat)}`);
  if (stat.size === 0) throw new NoFileError(`${file}: expected a file with something in it, found an empty one`);
}

function tryStat(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NoFileError(`${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}
