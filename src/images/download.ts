import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

import type { StoredFile } from '../plan/stored-image.ts';
import type { RoomClaim } from './disk-room.ts';
import type { FileShelf } from './file-shelf.ts';
import type { Origin } from './origin.ts';
import { DiskFullError, TooSlowError, TransferError } from './transfer-error.ts';

/** What is gathered before it is written: all that a kill loses of what came. */
const BLOCK = 1024 * 1024;
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;
/** Tries in a row that brought nothing, or less than this for each second that was waited before them. */
const MOST_FRUITLESS = 6;
const LEAST_BYTES = 4 * 1024;
/** Chunks of a few bytes take more memory than what is in them. */
const MOST_CHUNKS = 1024;
/** So much room is claimed ahead. */
const ROOM_EVERY = 16 * BLOCK;

export type WantedFile = Pick<StoredFile, 'sha256' | 'size'> & { readonly path: string };

export interface DownloadDesk {
  readonly shelf: FileShelf;
  readonly signal: AbortSignal;
  /** Told of bytes that came, and of those that were here already. */
  readonly onBytes: (bytes: number, came: boolean) => void;
  /** After so many bytes, how many milliseconds to wait. */
  readonly toll: (bytes: number) => number;
  /** Rejects with AbortError when the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Brings a file onto the shelf: goes on where an earlier try ended, in this process or another, and checks length and checksum on
 * the way. Throws TransferError, DiskFullError, or AbortError when the signal says so; what came is kept for the next try.
 */
export async function download(file: WantedFile, origin: Origin, desk: DownloadDesk): Promise<void> {
  const { shelf } = desk;
  try {
    await using open = await shelf.openPart(file.sha256);
    using room = shelf.claim();
    const part = new Part(file, open.handle, room, desk);
    await part.readBack();
    const isRight = (await part.complete(origin)) || (await part.completeAnew(origin));
    if (!isRight) throw wrongChecksum(file, origin, part.digest);
    await open.publish(file);
  } catch (error) {
    throw isNoSpace(error) ? new DiskFullError(`${shelf.partOf(file.sha256)}: the disk is full`) : error;
  }
}

/** A file as far as it is here. */
class Part {
  readonly #file: WantedFile;
  readonly #handle: FileHandle;
  readonly #room: RoomClaim;
  readonly #desk: DownloadDesk;
  #hash: Hash = createHash('sha256');
  #length = 0;
  /** Came in an earlier process, or from a file that may have changed since. */
  #isInherited = false;
  digest = '';

  constructor(file: WantedFile, handle: FileHandle, room: RoomClaim, desk: DownloadDesk) {
    this.#file = file;
    this.#handle = handle;
    this.#room = room;
    this.#desk = desk;
  }

  /** The state of the hash is not kept: to read a gigabyte costs a second, and so finds what the disk lost meanwhile. */
  async readBack(): Promise<void> {
    if ((await this.#handle.stat()).size > this.#file.size) await this.#forget();
    const block = Buffer.allocUnsafe(BLOCK);
    for (;;) {
      this.#desk.signal.throwIfAborted();
      const { bytesRead } = await this.#handle.read(block, 0, BLOCK, this.#length);
      if (bytesRead === 0) break;
      this.#hash.update(block.subarray(0, bytesRead));
      this.#length += bytesRead;
    }
    this.#isInherited = this.#length > 0;
    if (this.#isInherited) this.#desk.onBytes(this.#length, false);
  }

  /** Whether all of it is there and right. */
  async complete(origin: Origin): Promise<boolean> {
    let fruitless = 0;
    let wait = 0;
    while (this.#length < this.#file.size) {
      const before = this.#length;
      try {
        await this.#fetchRest(origin);
        if (this.#length < this.#file.size)
          throw new TransferError(`${origin.locate(this.#file.path)}: ends early`, true);
      } catch (error) {
        if (!(error instanceof TransferError) || !error.mayPass) throw error;
        const came = this.#length - before;
        const isFruit = came > 0 && came >= LEAST_BYTES * (wait / 1000) && !(error instanceof TooSlowError);
        fruitless = isFruit ? 0 : fruitless + 1;
        if (fruitless >= MOST_FRUITLESS) throw error;
        wait = Math.min(FIRST_RETRY * 2 ** fruitless, LONGEST_RETRY);
        await this.#desk.sleep(wait, this.#desk.signal);
      }
    }
    this.digest = this.#hash.digest('hex');
    return this.digest === this.#file.sha256;
  }

  /** What was here from before may be of another file, or spoilt: once more from the first byte. What just came whole is just wrong. */
  async completeAnew(origin: Origin): Promise<boolean> {
    const wasInherited = this.#isInherited;
    await this.#forget();
    return wasInherited && this.complete(origin);
  }

  async #fetchRest(origin: Origin): Promise<void> {
    const { shelf, signal } = this.#desk;
    const { sha256, path, size } = this.#file;
    const place = origin.locate(path);
    const mark = this.#length > 0 ? shelf.partMark(sha256) : undefined;
    const known = mark?.place === place ? mark.validator : undefined;
    const { first, validator, chunks } = await origin.open(path, {
      from: this.#length,
      size,
      validator: known,
      signal,
    });
    if (first !== this.#length) await this.#startAnew();
    if (validator !== known || mark?.place !== place) {
      shelf.markPart(sha256, validator === undefined ? undefined : { place, validator });
    }
    const block = new Block();
    try {
      for await (const chunk of chunks) {
        if (this.#length + block.length + chunk.length > size) {
          throw new TransferError(`${place}: expected ${size} bytes, found more`, false);
        }
        block.add(chunk);
        if (block.isFull) await this.#write(block);
        await this.#pay(chunk.length);
      }
    } finally {
      // What came before a cut need not come again
      await this.#write(block);
    }
  }

  async #write(block: Block): Promise<void> {
    const chunks = block.take();
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (bytes === 0) return;
    this.#demandRoom(bytes);
    await writeAll(this.#handle, chunks);
    this.#room.wrote(bytes);
    for (const chunk of chunks) this.#hash.update(chunk);
    this.#length += bytes;
    this.#desk.onBytes(bytes, true);
  }

  /** By what comes at a time, and not by what is written: else the mirror may take a slow pace for a client that is gone. */
  async #pay(bytes: number): Promise<void> {
    const wait = this.#desk.toll(bytes);
    if (wait > 0) await this.#desk.sleep(wait, this.#desk.signal);
  }

  #demandRoom(bytes: number): void {
    if (this.#room.left >= bytes) return;
    const ahead = Math.max(bytes, Math.min(ROOM_EVERY, this.#file.size - this.#length));
    this.#room.take(ahead - this.#room.left);
  }

  /** Nothing of it, nor of which file it was. */
  async #forget(): Promise<void> {
    await this.#startAnew();
    this.#desk.shelf.markPart(this.#file.sha256, undefined);
  }

  async #startAnew(): Promise<void> {
    await this.#handle.truncate(0);
    this.#desk.onBytes(-this.#length, false);
    this.#length = 0;
    this.#isInherited = false;
    this.#hash = createHash('sha256');
  }
}

/** Chunks on their way to the disk. */
class Block {
  length = 0;
  #chunks: Uint8Array[] = [];

  get isFull(): boolean {
    return this.length >= BLOCK || this.#chunks.length >= MOST_CHUNKS;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  take(): Uint8Array[] {
    this.length = 0;
    return this.#chunks.splice(0);
  }
}

/** A disk that fills up may take a part. */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let rest: readonly Uint8Array[] = chunks;
  for (;;) {
    const { bytesWritten } = await handle.writev(rest);
    rest = withoutFirst(rest, bytesWritten);
    if (rest.length === 0) return;
  }
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return chunks.flatMap((chunk) => {
    const gone = Math.min(left, chunk.length);
    left -= gone;
    return gone === chunk.length ? [] : [chunk.subarray(gone)];
  });
}

function wrongChecksum(file: WantedFile, origin: Origin, found: string): TransferError {
  return new TransferError(`${origin.locate(file.path)}: expected sha256 ${file.sha256}, found ${found}`, false);
}

function isNoSpace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
