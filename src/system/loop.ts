/** A timer that has not fired yet. */
export interface Timer {
  cancel(): void;
}

/** What a descriptor that reads and writes is ready for. */
export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
  /** It failed, or both directions have ended: the next call on it says which. Told whatever is wanted. */
  readonly over: boolean;
}

/** A descriptor that is watched for both directions. */
export interface DuplexWatch {
  /** What is to be told from now on. */
  want(readable: boolean, writable: boolean): void;
  /** To be called before the descriptor is closed. */
  close(): void;
}

/** What a service may ask of the thread it runs on. */
export interface Loop {
  /** Calls `handle` whenever `fd` has something to read, until the returned handle is closed. */
  watch(fd: number, handle: () => void): { close(): void };
  /** Calls `fire` once, `milliseconds` from now. */
  after(milliseconds: number, fire: () => void): Timer;
}

/** A loop for connections, too. They have their turn when all else has had its own, and for a moment only. */
export interface DuplexLoop extends Loop {
  /** Calls `handle` whenever `fd` is ready for what is wanted, at first for reading. */
  watchDuplex(fd: number, handle: (ready: Readiness) => void): DuplexWatch;
}
