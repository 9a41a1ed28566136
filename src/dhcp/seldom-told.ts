import type { Clock } from '../system/clock.ts';

/** One event for a reason and a sender in this time: what is wrong with a packet is wrong with the next one. */
const QUIET_MILLISECONDS = 60_000;
/** Reasons and senders remembered. */
const MOST = 4_096;

/** Remembers what was told a moment ago, so that a machine that asks on and on is told of seldom enough to be read. */
export class SeldomTold<K extends string | number> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #toldAt = new Map<K, number>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Whether it is to be told now; then it counts as told. */
  isDue(key: K): boolean {
    const now = this.#clock.monotonic();
    const toldAt = this.#toldAt.get(key);
    if (toldAt !== undefined && now - toldAt < QUIET_MILLISECONDS) return false;
    if (this.#toldAt.size >= MOST) this.#toldAt.clear();
    this.#toldAt.set(key, now);
    return true;
  }
}
