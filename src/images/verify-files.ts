import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

import type { StoredFile } from '../plan/stored-image.ts';
import type { FileShelf } from './file-shelf.ts';
import type { ImageRow } from './image-row.ts';

const BLOCK = 1024 * 1024;

/** A file that is not what its name says any more, or is gone; what could be is out of the way of machines now. */
export interface SpoiltFile {
  readonly file: StoredFile;
  /** The versions it is of. */
  readonly rows: readonly ImageRow[];
  /** Where it was put; absent where it was not there at all. */
  readonly quarantine?: string;
}

/** Reads every file of these versions. Rejects with AbortError when the signal says so. */
export async function findSpoilt(
  rows: readonly ImageRow[],
  shelf: FileShelf,
  signal: AbortSignal,
): Promise<SpoiltFile[]> {
  const files = new Map(rows.flatMap((row) => row.files.map((file) => [file.sha256, file] as const)));
  const spoilt: SpoiltFile[] = [];
  for (const file of files.values()) {
    const found = await checksumOf(shelf.pathOf(file.sha256), signal);
    if (found === file.sha256) continue;
    const of = rows.filter((row) => row.files.some(({ sha256 }) => sha256 === file.sha256));
    const quarantine = found === undefined ? undefined : setAside(shelf, file);
    spoilt.push({ file, rows: of, ...(quarantine !== undefined && { quarantine }) });
  }
  return spoilt;
}

/** Undefined when it went meanwhile, as what nobody uses any more does. */
function setAside(shelf: FileShelf, { sha256 }: StoredFile): string | undefined {
  try {
    return shelf.quarantine(sha256);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined of a file that is not there. A disk that can't read it says as much as another checksum. */
async function checksumOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(BLOCK);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(block, 0, BLOCK);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(block.subarray(0, bytesRead));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 'unreadable';
    throw error;
  } finally {
    await handle.close();
  }
}
