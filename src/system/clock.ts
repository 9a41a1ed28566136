/** Time, so that tests can hold it still. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds since some moment in the past. Never goes back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
