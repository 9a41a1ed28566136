import type { Clock } from '../../system/clock.ts';

/** Each update is a sync of the disk, and takes the thread meanwhile. */
const PER_SECOND = 100;
const BURST = 200;

/** How many updates may be carried out. */
export class UpdateRate {
  readonly #clock: Clock;
  #tokens = BURST;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  /** Whether one more may. */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
