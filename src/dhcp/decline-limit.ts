import type { Mac } from '../addr/mac.ts';
import { rangeSize, type Range } from '../addr/range.ts';

/** Of a small range no more than this part, but always one. */
const SHARE = 1 / 4;

/** Counts the quarantines each machine brought about. Memory: one entry a quarantine. Times are monotonic milliseconds. */
export class DeclineLimit {
  readonly #most: number;
  readonly #ends = new Map<Mac, number[]>();

  /** `most`: addresses that one machine may have in quarantine at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether `mac` may put one more address of `range` into quarantine until `until`; counts it if so. */
  take(mac: Mac, now: number, until: number, range: Range | undefined): boolean {
    const running = (this.#ends.get(mac) ?? []).filter((end) => end > now);
    const most = range ? Math.min(this.#most, Math.max(1, Math.floor(rangeSize(range) * SHARE))) : this.#most;
    if (running.length >= most) return false;
    this.#ends.set(mac, [...running, until]);
    return true;
  }

  /** Forgets machines whose quarantines are over. */
  sweep(now: number): void {
    for (const [mac, ends] of this.#ends) if (ends.every((end) => end <= now)) this.#ends.delete(mac);
  }
}
