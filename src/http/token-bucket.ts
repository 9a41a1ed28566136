import type { Clock } from '../system/clock.ts';

/** How much of a second may go out in one go: a network card that stalls at full speed has buffers for some 200 frames. */
const BURST_SECONDS = 0.02;
const SMALLEST_BURST = 16 * 1024;

/** So many bytes a second and no more, shared by all that one client fetches. */
export class TokenBucket {
  readonly #clock: Clock;
  #rate: number;
  #tokens: number;
  #filledAt: number;

  /** `rate`: bytes a second. */
  constructor(rate: number, clock: Clock) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = this.#capacity;
    this.#filledAt = clock.monotonic();
  }

  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#fill();
    this.#rate = rate;
  }

  /** Bytes that may go out now: 0 until there are enough for a worthwhile piece. */
  available(): number {
    this.#fill();
    return this.#tokens < this.#piece ? 0 : Math.floor(this.#tokens);
  }

  take(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** Milliseconds until something is available; at least 1. */
  wait(): number {
    this.#fill();
    return Math.max(1, Math.ceil(((this.#piece - this.#tokens) / this.#rate) * 1000));
  }

  get #capacity(): number {
    return Math.max(SMALLEST_BURST, Math.floor(this.#rate * BURST_SECONDS));
  }

  /** Half a burst: sent as soon as it is there, so that the other half is not lost to a late timer. */
  get #piece(): number {
    return this.#capacity / 2;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate);
    this.#filledAt = now;
  }
}
