import { createHash } from 'node:crypto';

import type { StoredFile } from '../plan/stored-image.ts';
import type { FileShelf } from './file-shelf.ts';
import { unpackArchive } from './unpack-archive.ts';

/** What a file out of a loader's archive is. */
export const LOADER_FILE = 'loader';

/** Puts the files of an archive on the shelf, each by its content. Throws StreamError, or what the disk says. */
export async function unpackInto(shelf: FileShelf, archive: StoredFile, signal: AbortSignal): Promise<StoredFile[]> {
  const members = await unpackArchive(shelf.pathOf(archive.sha256), archive.name, signal);
  const files: StoredFile[] = [];
  for (const { name, content } of members) {
    if (content.length === 0) continue;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = { name, ftype: LOADER_FILE, sha256, size: content.length };
    if (!shelf.has(file)) await put(shelf, sha256, content);
    files.push(file);
  }
  return files;
}

async function put(shelf: FileShelf, sha256: string, content: Uint8Array): Promise<void> {
  const handle = await shelf.openPart(sha256);
  try {
    await handle.truncate(0);
    await handle.writeFile(content);
    await shelf.publish(sha256, handle);
  } finally {
    await handle.close();
  }
}
