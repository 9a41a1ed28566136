/** What a log is written to: a file descriptor that may be a pipe someone reads slowly. */
export type WriteSome = (bytes: Uint8Array) => number;

const LINE_FEED = 0x0a;

export interface LogWriterDependencies {
  /** Writes what it can of `bytes` and returns how many; throws when nothing can be written. */
  readonly write: WriteSome;
  /** Calls back once this turn of the event loop is over. */
  readonly later: (flush: () => void) => void;
}

/**
 * Gathers the lines of one moment into one write: at a thousand boots a minute the system call for each line costs more
 * than all else that is done with it. A line that can't be written is lost: a full disk must not stop the rack.
 */
export class LogWriter {
  readonly #dependencies: LogWriterDependencies;
  #lines: string[] = [];
  /** What was written last is the beginning of a line whose end is lost. */
  #isCut = false;

  constructor(dependencies: LogWriterDependencies) {
    this.#dependencies = dependencies;
  }

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length === 1) this.#dependencies.later(() => this.flush());
  }

  /** Writes what has gathered: also for a process that ends. */
  flush(): void {
    if (this.#lines.length === 0) return;
    let bytes: Uint8Array = Buffer.from((this.#isCut ? '\n' : '') + this.#lines.join(''));
    this.#lines = [];
    try {
      while (bytes.length > 0) {
        const taken = Math.max(1, this.#dependencies.write(bytes));
        this.#isCut = bytes[taken - 1] !== LINE_FEED;
        bytes = bytes.subarray(taken);
      }
    } catch {
      // Where would we say so?
    }
  }
}
