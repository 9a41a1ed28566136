import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import type { FileFlow, FileWish, Origin } from './origin.ts';
import { TransferError } from './transfer-error.ts';

const BLOCK = 1024 * 1024;

/** A mirror on a disk, a stick or a file server. */
export class DirectoryOrigin implements Origin {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  locate(path: string): string {
    return join(this.#directory, path);
  }

  async open(path: string, { from, signal }: FileWish): Promise<FileFlow> {
    const file = this.locate(path);
    const handle = await openFile(file);
    const chunks = createReadStream('', { fd: handle, start: from, highWaterMark: BLOCK, signal });
    return { first: from, chunks };
  }
}

async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new TransferError(`${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`, false);
  });
  const isFile = await handle.stat().then((stat) => stat.isFile());
  if (isFile) return handle;
  await handle.close();
  throw new TransferError(`${file}: expected a file`, false);
}
