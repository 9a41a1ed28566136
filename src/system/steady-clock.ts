import type { Clock } from './clock.ts';

/** More than any time server slews at once, and far less than any lease. */
const JUMP_MILLISECONDS = 2_000;

/** Wall time that does not jump: it goes on as before when the wall clock is set, until it is told to follow. */
export class SteadyClock implements Clock {
  readonly #clock: Clock;
  /** Wall clock less monotonic clock, as last agreed. */
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  now(): number {
    return this.#clock.monotonic() + this.#offset;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  /** Follows the wall clock if it was set. Returns by how many whole seconds this clock was moved: 0 for no jump. */
  follow(): number {
    const away = this.#clock.now() - this.now();
    if (Math.abs(away) < JUMP_MILLISECONDS) return 0;
    const seconds = Math.trunc(away / 1000);
    this.#offset += seconds * 1000;
    return seconds;
  }
}
