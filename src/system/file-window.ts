import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const WINDOW = 1024 * 1024;

/** A file that is read from front to back, a window at a time: its size is no matter for the memory. */
export class FileWindow {
  readonly size: number;
  /** And no pipe, device or directory. */
  readonly isFile: boolean;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(WINDOW);
  #start = 0;
  #end = 0;

  /** Throws as the file system does. What is written to it from now on is not seen. */
  constructor(path: string) {
    // A FIFO that nobody writes would be waited for
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = fstatSync(this.#fd);
      this.size = found.size;
      this.isFile = found.isFile();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** From `at` on, `count` bytes, at most a window, or as many as there are; good until the next call. */
  read(at: number, count: number): Uint8Array {
    const wanted = Math.min(count, WINDOW, Math.max(0, this.size - at));
    if (at < this.#start || at + wanted > this.#end) this.#move(at);
    return this.#buffer.subarray(at - this.#start, Math.min(at + wanted, this.#end) - this.#start);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #move(at: number): void {
    let length = 0;
    while (length < WINDOW) {
      const more = readSync(this.#fd, this.#buffer, length, WINDOW - length, at + length);
      if (more === 0) break;
      length += more;
    }
    this.#start = at;
    this.#end = at + length;
  }
}
