import { createHash } from 'node:crypto';

import type { StoredFile } from '../plan/stored-image.ts';
import type { FileHold } from './file-hold.ts';
import type { FileShelf } from './file-shelf.ts';
import { unpackArchive } from './unpack-archive.ts';

/** What a file out of a loader's archive is. */
export const LOADER_FILE = 'loader';

/**
 * Puts the files of an archive on the shelf, each by its content; `hold`: keeps them there until an image has them. Throws
 * StreamError, DiskFullError, or what the disk says.
 */
export async function unpackInto(
  shelf: FileShelf,
  archive: StoredFile,
  hold: FileHold,
  signal: AbortSignal,
): Promise<StoredFile[]> {
  const members = await unpackArchive(shelf.pathOf(archive.sha256), archive.name, signal);
  const files: StoredFile[] = [];
  for (const { name, content } of members) {
    if (content.length === 0) continue;
    signal.throwIfAborted();
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = { name, ftype: LOADER_FILE, sha256, size: content.length };
    hold.add(sha256);
    if (!shelf.has(file)) await shelf.put(content);
    files.push(file);
  }
  return files;
}
