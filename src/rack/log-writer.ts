/** What a log is written to: a file descriptor that may be a pipe someone reads slowly. */
export type WriteSome = (bytes: Uint8Array) => number;

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
    let bytes: Uint8Array = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    try {
      while (bytes.length > 0) bytes = bytes.subarray(Math.max(1, this.#dependencies.write(bytes)));
    } catch {
      // Where would we say so?
    }
  }
}
