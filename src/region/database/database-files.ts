import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LOG_DIRECTORY = 'pg_wal';

/**
 * The files of a PostgreSQL that leaves them to the system's memory, as the one inside this process does: what is to outlast a power cut
 * is put on disk here.
 */
export class DatabaseFiles {
  readonly #directory: string;
  #settledTo = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What was committed is on disk: the log of it, from which all else is made again. */
  async settle(): Promise<void> {
    const directory = join(this.#directory, LOG_DIRECTORY);
    const files = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isFile());
    const written = await Promise.all(
      files.map(async ({ name }) => {
        const file = join(directory, name);
        return { file, at: (await stat(file)).mtimeMs };
      }),
    );
    // One that was written to in the same moment as the last of before may have been written to since
    const news = written.filter(({ at }) => at >= this.#settledTo);
    await Promise.all(news.map(({ file }) => sync(file)));
    await sync(directory);
    this.#settledTo = Math.max(this.#settledTo, ...news.map(({ at }) => at));
  }

  /** All of it: after a checkpoint the log is not there any more to make them again. */
  async settleAll(): Promise<void> {
    for (const entry of await readdir(this.#directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() || entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
    }
    await sync(this.#directory);
  }
}

/** A file that is gone meanwhile needs no more. */
async function sync(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r');
    await file.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
