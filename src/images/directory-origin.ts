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
    const stream = createReadStream('', { fd: handle, start: from, highWaterMark: BLOCK, signal });
    return { first: from, chunks: chunksOf(stream, file, signal) };
  }
}

/** A stick that is pulled out, a file server that is gone. */
async function* chunksOf(
  stream: AsyncIterable<Uint8Array>,
  file: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    throw new TransferError(`${file}: ${error instanceof Error ? error.message : String(error)}`, false);
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
