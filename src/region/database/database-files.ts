import { open, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const LOG_DIRECTORY = 'pg_wal';

/**
 * The files of a PostgreSQL that leaves them to the system's memory, as the one inside this process does: what is to outlast a power cut
 * is put on disk here.
 */
export class DatabaseFiles {
  readonly #directory: string;
  readonly #leastRoom: number;
  #settledTo = 0;

  constructor(directory: string, leastRoom: number) {
    this.#directory = directory;
    this.#leastRoom = leastRoom;
  }

  /** Rejects where there is little room left: without any, the engine tries to write its log for ever, and nothing else is done. */
  async checkRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize < this.#leastRoom) throw new NoRoom(this.#directory);
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

/** So little is left of the disk that nothing is written any more; what is asked may be asked again once there is some. */
class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly code = 'ENOSPC';

  constructor(directory: string) {
    super(`there is too little room left on the disk of ${directory}: nothing is changed until there is more`);
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
