/** Seconds that are waited at the mean: 1, 2, 4 and so on. */
const FIRST = 1_000;
const LONGEST = 60_000;

/**
 * How long to wait after a failure: longer each time, and never the same for two racks. A thousand of them that lost their region in
 * one moment come back over a minute, as each waits between half the mean and half as much again.
 */
export class BackOff {
  readonly #random: () => number;
  #mean = FIRST;

  /** `random`: from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds. */
  next(): number {
    const mean = this.#mean;
    this.#mean = Math.min(2 * mean, LONGEST);
    return Math.round(mean * (0.5 + this.#random()));
  }

  reset(): void {
    this.#mean = FIRST;
  }
}
