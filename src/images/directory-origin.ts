import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import type { FileFlow, FileWish, Origin } from './origin.ts';
import { TransferError } from './transfer-error.ts';

const BLOCK = 1024 * 1024;
/** A file server that is gone lets whoever reads hang for ever. */
const SILENCE_MILLISECONDS = 30_000;

/** What it asks of the system. */
export interface LocalFiles {
  open(file: string, flags: number): Promise<Pick<FileHandle, 'read' | 'stat' | 'close'>>;
}

/**
 * A mirror on a disk, a stick or a file server. A call of the system can't be taken back, and holds one of a few threads while it
 * hangs: so it asks one thing at a time, and nothing more while that hangs. It is to be kept as long as others may ask for the
 * same directory.
 */
export class DirectoryOrigin implements Origin {
  readonly #directory: string;
  readonly #silence: number;
  readonly #files: LocalFiles;
  /** The file that a call hangs on. */
  #hanging: string | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(directory: string, silenceMilliseconds = SILENCE_MILLISECONDS, files: LocalFiles = { open }) {
    this.#directory = directory;
    this.#silence = silenceMilliseconds;
    this.#files = files;
  }

  locate(path: string): string {
    return join(this.#directory, path);
  }

  async open(path: string, { from, size = 0, signal }: FileWish): Promise<FileFlow> {
    const file = this.locate(path);
    // A pipe that nobody writes to would hold whoever opens it
    const opening = (): ReturnType<LocalFiles['open']> =>
      this.#files.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const handle = await this.#ask(file, signal, opening, (late) => late.close());
    try {
      const stat = await this.#ask(file, signal, () => handle.stat());
      if (!stat.isFile()) throw new TransferError(`${file}: expected a file`, false);
      // No line was cut: asking again brings no more
      if (stat.size < size) throw new TransferError(`${file}: expected ${size} bytes, found ${stat.size}`, false);
    } catch (error) {
      await this.#close(handle);
      throw error;
    }
    return { first: from, chunks: this.#chunksOf(handle, file, from, signal) };
  }

  async *#chunksOf(
    handle: Pick<FileHandle, 'read' | 'close'>,
    file: string,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    try {
      for (let at = from; ;) {
        const reading = (): ReturnType<FileHandle['read']> => handle.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, at);
        const { buffer, bytesRead } = await this.#ask(file, signal, reading);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield (buffer as Buffer).subarray(0, bytesRead);
      }
    } finally {
      await this.#close(handle);
    }
  }

  /** `undo`: what to do with what comes when nobody waits for it any more. */
  async #ask<T>(
    file: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    undo: (late: T) => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const before = this.#turn;
    const { promise, resolve: over } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      signal.throwIfAborted();
      if (this.#hanging !== undefined) throw new TransferError(`${file}: not read, as ${this.#hanging} hangs`, false);
      return await this.#patiently(file, signal, work(), undo);
    } finally {
      over();
    }
  }

  async #patiently<T>(
    file: string,
    signal: AbortSignal,
    asked: Promise<T>,
    undo: (late: T) => Promise<void>,
  ): Promise<T> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const late = new TransferError(`${file}: hangs: nothing came for ${this.#silence / 1000} s`, false);
    const stop = (): void => reject(signal.reason);
    const timer = setTimeout(() => reject(late), this.#silence);
    signal.addEventListener('abort', stop, { once: true });
    this.#hanging = file;
    const settled = asked.finally(() => (this.#hanging = undefined));
    try {
      return await Promise.race([settled, givenUp]);
    } catch (error) {
      if (!signal.aborted && error !== late) throw refused(file, error as NodeJS.ErrnoException);
      settled.then(undo).catch(() => undefined);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Of one that hangs, it comes about when the call returns. */
  async #close(handle: Pick<FileHandle, 'close'>): Promise<void> {
    const closed = handle.close().catch(() => undefined);
    if (this.#hanging === undefined) await closed;
  }
}

/** A stick that is pulled out, a file server that is gone. */
function refused(file: string, error: NodeJS.ErrnoException): TransferError {
  return new TransferError(`${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`, false);
}
