import type { Mac } from '../addr/mac.ts';
import type { Clock } from '../system/clock.ts';

/** A boot takes some ten packets a stage, and a machine that is reset over and over a few stages a minute. */
const BURST = 40;
const PER_SECOND = 5;
/** Machines looked at: more than a rack has; some 3 MB. Past it the one not heard longest is forgotten. */
const MOST_MACHINES = 16_384;
const TELL_EVERY = 60_000;

interface Bucket {
  left: number;
  filledAt: number;
  /** When its excess was last told; monotonic milliseconds. */
  toldAt: number;
}

/** What becomes of a packet: `offender` is told of once a minute, and met with silence like any `excess`. */
type Verdict = 'fine' | 'excess' | 'offender';

/** A bucket of tokens for each machine, so that one broken card can't starve a rack. */
export class ClientRate {
  readonly #clock: Clock;
  readonly #buckets = new Map<Mac, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one packet's worth out of the machine's bucket. */
  take(mac: Mac): Verdict {
    const now = this.#clock.monotonic();
    const bucket = this.#bucketOf(mac, now);
    bucket.left = Math.min(BURST, bucket.left + ((now - bucket.filledAt) / 1000) * PER_SECOND);
    bucket.filledAt = now;
    if (bucket.left >= 1) {
      bucket.left--;
      return 'fine';
    }
    if (now - bucket.toldAt < TELL_EVERY) return 'excess';
    bucket.toldAt = now;
    return 'offender';
  }

  /** The order of the map is that of the last packet. */
  #bucketOf(mac: Mac, now: number): Bucket {
    const present = this.#buckets.get(mac);
    if (present) this.#buckets.delete(mac);
    const bucket = present ?? { left: BURST, filledAt: now, toldAt: Number.NEGATIVE_INFINITY };
    this.#buckets.set(mac, bucket);
    if (this.#buckets.size > MOST_MACHINES) this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    for (const mac of this.#buckets.keys()) {
      this.#buckets.delete(mac);
      return;
    }
  }
}
