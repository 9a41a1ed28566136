import type { Ip4 } from '../addr/ip4.ts';
import type { RateLimit as RateLimitSettings } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Outcome } from './answer.ts';

/** What is to become of a reply. */
export type Verdict = 'send' | 'cut' | 'drop';

/** A power of two. Three quarters of a megabyte, whatever an attacker forges. */
const BUCKETS = 1 << 16;
/** Where a bucket may stand: the oldest of so many neighbours gives way. */
const NEIGHBOURS = 4;
const CLIENT_PREFIX = 0xffff_ff00;

/**
 * Limits how often one network is sent the same kind of reply, so that whoever forges its address can't have it flooded through us.
 * An answer counts with those of its name; a "no", a referral and what wildcards make, with those of the zone, as each may
 * be for a name of its own; errors count together.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #settings: RateLimitSettings;
  readonly #seed = Math.floor(Math.random() * 0x1_0000_0000) | 0;
  readonly #tags = new Int32Array(BUCKETS);
  /** Replies that may still be sent; below zero, how many there were too many. */
  readonly #credits = new Float32Array(BUCKETS);
  /** Milliseconds, modulo 2³². */
  readonly #times = new Int32Array(BUCKETS);
  readonly #slips = new Uint8Array(BUCKETS);

  constructor(clock: Clock, settings: RateLimitSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Counts a reply to `address`; `name` is the hash of the name asked for. */
  judge(address: Ip4, name: number, outcome: Outcome): Verdict {
    const { responses, windowSeconds, slip } = this.#settings;
    const now = this.#clock.monotonic() | 0;
    const bucket = this.#bucket(this.#tagOf(address, name, outcome), now);
    const seconds = Math.max(0, (now - (this.#times[bucket] ?? 0)) | 0) / 1000;
    const filled = Math.min(responses, (this.#credits[bucket] ?? 0) + seconds * responses);
    const left = Math.max(filled - 1, -responses * windowSeconds);
    this.#credits[bucket] = left;
    this.#times[bucket] = now;
    if (left >= 0) return 'send';
    if (slip === 0) return 'drop';
    const slips = (this.#slips[bucket] ?? 0) + 1;
    this.#slips[bucket] = slips % slip;
    return slips >= slip ? 'cut' : 'drop';
  }

  #tagOf(address: Ip4, name: number, outcome: Outcome): number {
    let tag = mix(this.#seed, address & CLIENT_PREFIX);
    if (outcome.zone === undefined) return mix(tag, outcome.rcode);
    tag = mix(tag, outcome.kind.charCodeAt(0) ^ (outcome.kind.length << 8));
    const isNamed = outcome.kind === 'answer' && !outcome.synthesized;
    return mix(tag, isNamed ? name : outcome.zone.apex.hash);
  }

  /** The bucket with the tag, or one that is given to it. */
  #bucket(tag: number, now: number): number {
    const first = (tag ^ (tag >>> 16)) & (BUCKETS - NEIGHBOURS);
    let oldest = first;
    for (let bucket = first; bucket < first + NEIGHBOURS; bucket++) {
      if (this.#tags[bucket] === tag) return bucket;
      const isOlder = ((this.#times[bucket] ?? 0) - (this.#times[oldest] ?? 0)) | 0;
      if (isOlder < 0) oldest = bucket;
    }
    this.#tags[oldest] = tag;
    this.#credits[oldest] = this.#settings.responses;
    this.#times[oldest] = now;
    this.#slips[oldest] = 0;
    return oldest;
  }
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  const again = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return again ^ (again >>> 13);
}
