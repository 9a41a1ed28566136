import { closeSync, fstatSync, readSync } from 'node:fs';
import type { Clock } from '../system/clock.ts';

/** Octets read from the disk at once: one system call for some twenty packets. */
const CHUNK = 32 * 1024;
/** Chunks that nobody reads now, kept for clients a little behind the others: 8 MiB. */
const MOST_IDLE = 256;
/** Milliseconds. A file changed so lately may change again within one tick of its time stamp. */
const SETTLED = 2000;

interface OpenFile {
  readonly fd: number;
  readonly key: string;
  readonly length: number;
  /** When it was last written to, as `length` says of what it was when it was opened. */
  readonly mtimeMs: number;
  readonly chunks: Map<number, Chunk>;
  readers: number;
}

interface Chunk {
  readonly file: OpenFile;
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Octets of the file in it: fewer than expected when the file became shorter. */
  readonly length: number;
  readers: number;
}

/**
 * The files on their way to machines. One that many fetch is open once and read once: machines that start together want
 * the same chunk at about the same time. It takes a chunk for each transfer, and MOST_IDLE more.
 */
export class SharedFiles {
  readonly #clock: Clock;
  readonly #open = new Map<string, OpenFile>();
  /** In the order in which they fell idle. */
  readonly #idle = new Set<Chunk>();
  readonly #spare: Uint8Array[] = [];
  #unsettled = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many files are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes over `fd`, a regular file that is open for reading. Throws when it can't be looked at; then it is closed. */
  open(fd: number): SharedContent {
    const opened = this.#identify(fd);
    const known = this.#open.get(opened.key);
    if (known) closeSync(fd);
    const file = known ?? opened;
    this.#open.set(file.key, file);
    file.readers++;
    return new SharedContent(this, file);
  }

  /** Throws when the file can't be read, or was written to since it was opened. */
  take(file: OpenFile, index: number): Chunk {
    const chunk = file.chunks.get(index) ?? this.#load(file, index);
    if (chunk.readers++ === 0) this.#idle.delete(chunk);
    return chunk;
  }

  giveBack(chunk: Chunk): void {
    if (--chunk.readers > 0) return;
    this.#idle.add(chunk);
    if (this.#idle.size <= MOST_IDLE) return;
    for (const oldest of this.#idle) {
      this.#drop(oldest);
      break;
    }
  }

  close(file: OpenFile): void {
    if (--file.readers > 0) return;
    for (const chunk of file.chunks.values()) this.#drop(chunk);
    this.#open.delete(file.key);
    closeSync(file.fd);
  }

  #identify(fd: number): OpenFile {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = fstatSync(fd);
      const isSettled = Math.abs(this.#clock.now() - mtimeMs) > SETTLED;
      const key = [dev, ino, size, mtimeMs, ctimeMs, isSettled ? '' : ++this.#unsettled].join(':');
      return { fd, key, length: size, mtimeMs, chunks: new Map(), readers: 0 };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #load(file: OpenFile, index: number): Chunk {
    const bytes = this.#spare.pop() ?? new Uint8Array(CHUNK);
    try {
      const chunk = { file, index, bytes, length: fill(bytes, file.fd, index * CHUNK), readers: 0 };
      assertUnchanged(file, index * CHUNK + chunk.length);
      file.chunks.set(index, chunk);
      return chunk;
    } catch (error) {
      this.#spare.push(bytes);
      throw error;
    }
  }

  #drop(chunk: Chunk): void {
    this.#idle.delete(chunk);
    chunk.file.chunks.delete(chunk.index);
    if (this.#spare.length < MOST_IDLE) this.#spare.push(chunk.bytes);
  }
}

/** One transfer's way through a file; a Content. */
class SharedContent {
  readonly length: number;
  readonly #files: SharedFiles;
  readonly #file: OpenFile;
  /** Where this transfer is. */
  #chunk: Chunk | undefined;

  constructor(files: SharedFiles, file: OpenFile) {
    this.#files = files;
    this.#file = file;
    this.length = file.length;
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const chunk = this.#at(offset + done);
      const from = (offset + done) % CHUNK;
      const some = Math.min(count - done, chunk.length - from);
      if (some <= 0) throw new Error(`the file ended at ${offset + done} bytes, expected ${this.length}`);
      into.set(chunk.bytes.subarray(from, from + some), at + done);
      done += some;
    }
  }

  close(): void {
    this.#leave();
    this.#files.close(this.#file);
  }

  #at(offset: number): Chunk {
    const index = Math.floor(offset / CHUNK);
    if (this.#chunk?.index === index) return this.#chunk;
    this.#leave();
    this.#chunk = this.#files.take(this.#file, index);
    return this.#chunk;
  }

  #leave(): void {
    if (this.#chunk) this.#files.giveBack(this.#chunk);
    this.#chunk = undefined;
  }
}

/** One that was replaced goes on as it was; parts of one and of another content must not pass for either. `end`: of what was read. */
function assertUnchanged({ fd, length, mtimeMs }: OpenFile, end: number): void {
  const now = fstatSync(fd);
  if (now.size < length) throw new Error(`the file ended at ${Math.min(end, now.size)} bytes, expected ${length}`);
  if (now.size > length || now.mtimeMs !== mtimeMs) throw new Error('the file was changed while it was sent');
}

/** Returns how many octets there were: fewer than `bytes` holds at the end of the file. */
function fill(bytes: Uint8Array, fd: number, offset: number): number {
  let done = 0;
  while (done < bytes.length) {
    const got = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
