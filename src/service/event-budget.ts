import type { Clock } from '../system/clock.ts';

/** A thousand machines that power up make some 20,000 events within seconds; a flood of forged packets has no end. */
const BURST = 20_000;
const PER_SECOND = 2_000;

/** How many events a service may still tell: a bucket that fills with time. What it forbids is counted instead. */
export class EventBudget {
  readonly #clock: Clock;
  #left = BURST;
  #filledAt: number;
  #dropped = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.monotonic();
  }

  /** Events that were not told. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one event's worth; false when there is none. */
  take(): boolean {
    if (this.#left < 1) this.#fill();
    if (this.#left < 1) {
      this.#dropped++;
      return false;
    }
    this.#left--;
    return true;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#left = Math.min(BURST, this.#left + ((now - this.#filledAt) / 1000) * PER_SECOND);
    this.#filledAt = now;
  }
}
