import type { Clock } from '../system/clock.ts';

/**
 * Zone serials that only rise: Unix seconds, or one more than the last when several fall into a second. After a
 * restart they go on above the old ones, unless there was more than a change a second all along.
 */
export class Serials {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.now() / 1000)) >>> 0;
    return this.#last;
  }
}
