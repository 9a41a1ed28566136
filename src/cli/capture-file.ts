import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { RefusedError } from './control-client.ts';

type File = Awaited<ReturnType<typeof open>>;

/** Secrets may be in what a machine is sent. */
const MODE = 0o600;
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
const WORDS: Readonly<Record<string, string>> = {
  ELOOP: 'a link, which may lead anywhere',
  // A FIFO that nobody reads
  ENXIO: 'one that can not hold a capture',
};

/**
 * Opens a file for a capture, empty and for its owner's eyes only, also where it was there and open to all. Never follows a link:
 * in a directory of others it may lead to what only root can write. Throws RefusedError.
 */
export async function openCaptureFile(path: string): Promise<File> {
  // Not cut before it is known to be a file
  const file = await refusing(path, () => open(path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, MODE));
  try {
    await refusing(path, () => empty(file));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function empty(file: File): Promise<void> {
  const found = await file.stat();
  if (!found.isFile()) throw Object.assign(new Error('not a file'), { code: 'ENXIO' });
  await file.chmod(MODE);
  await file.truncate();
}

/** Writes all of it; throws RefusedError when the disk does not take it. */
export async function writeCapture(file: File, path: string, bytes: Uint8Array): Promise<void> {
  await refusing(path, () => file.writeFile(bytes));
}

async function refusing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new RefusedError(`${path}: expected a file that can be written, found ${WORDS[code] ?? code}`);
  }
}
