import type { Clock } from '../system/clock.ts';

const MOST_GUESSES = 10;
const WINDOW = 60_000;
const MOST_ADDRESSES = 10_000;

/** Who says a wrong key ten times within a minute is not listened to for the rest of it. */
export class GuessLimit {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #guesses = new Map<string, { count: number; readonly until: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Seconds for which `address` is not listened to; undefined when it is. */
  waitOf(address: string): number | undefined {
    const row = this.#guesses.get(address);
    const left = row === undefined ? 0 : row.until - this.#clock.monotonic();
    return row !== undefined && left > 0 && row.count >= MOST_GUESSES ? Math.ceil(left / 1000) : undefined;
  }

  wrong(address: string): void {
    const now = this.#clock.monotonic();
    const row = this.#guesses.get(address);
    if (row && row.until > now) row.count++;
    else {
      this.#guesses.delete(address);
      this.#guesses.set(address, { count: 1, until: now + WINDOW });
    }
    const [oldest] = this.#guesses.keys();
    if (oldest !== undefined && this.#guesses.size > MOST_ADDRESSES) this.#guesses.delete(oldest);
  }
}
