import type { Clock } from '../system/clock.ts';

/** How long the cap may be exceeded for in one go. */
const BURST_MILLISECONDS = 250;
/** A wait that is shorter is left to be had with the next one. */
const SHORTEST_WAIT = 20;

/** A cap on bytes a second, shared by all who take of it. */
export class Pace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #bytesPerSecond: number | undefined;
  /** Until when what was taken is paid for. */
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonic'>, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** For how many milliseconds whoever takes so many bytes must then wait. */
  take(bytes: number): number {
    if (this.#bytesPerSecond === undefined) return 0;
    const now = this.#clock.monotonic();
    const from = Math.max(this.#paidUntil, now - BURST_MILLISECONDS);
    this.#paidUntil = from + (bytes / this.#bytesPerSecond) * 1000;
    const wait = this.#paidUntil - now;
    return wait < SHORTEST_WAIT ? 0 : wait;
  }
}
