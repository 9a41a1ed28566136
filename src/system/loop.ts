/** A timer that has not fired yet. */
export interface Timer {
  cancel(): void;
}

/** What a service may ask of the thread it runs on. */
export interface Loop {
  /** Calls `handle` whenever `fd` has something to read, until the returned handle is closed. */
  watch(fd: number, handle: () => void): { close(): void };
  /** Calls `fire` once, `milliseconds` from now. */
  after(milliseconds: number, fire: () => void): Timer;
}
