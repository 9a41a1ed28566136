import type { Mac } from '../addr/mac.ts';
import type { Clock } from '../system/clock.ts';

/** A boot takes some ten packets a stage, and a machine that is reset over and over a few stages a minute. */
const BURST = 40;
const PER_SECOND = 5;
/** Places in the table, a power of two: more than a rack has machines. Half a megabyte. */
const PLACES = 16_384;
const TELL_EVERY = 60_000;

/** What becomes of a packet: `offender` is told of once a minute, and met with silence like any `excess`. */
type Verdict = 'fine' | 'excess' | 'offender';

/**
 * A bucket of tokens for each machine, so that one broken card can't starve a rack. A table of fixed size: of two machines
 * that fall on one place the last one heard has it, and either is let through more often than it should at worst.
 */
export class ClientRate {
  readonly #clock: Clock;
  /** The machine at each place; -1: none yet. */
  readonly #macs = new Float64Array(PLACES).fill(-1);
  readonly #left = new Float32Array(PLACES);
  /** When the bucket was filled and when its excess was last told; monotonic milliseconds. */
  readonly #filledAt = new Float64Array(PLACES);
  readonly #toldAt = new Float64Array(PLACES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one packet's worth out of the machine's bucket. */
  take(mac: Mac): Verdict {
    const now = this.#clock.monotonic();
    const place = placeOf(mac);
    const left = this.#macs[place] === mac ? this.#refilled(place, now) : this.#settle(place, mac);
    this.#filledAt[place] = now;
    this.#left[place] = left >= 1 ? left - 1 : left;
    if (left >= 1) return 'fine';
    if (now - (this.#toldAt[place] ?? 0) < TELL_EVERY) return 'excess';
    this.#toldAt[place] = now;
    return 'offender';
  }

  #refilled(place: number, now: number): number {
    const seconds = (now - (this.#filledAt[place] ?? 0)) / 1000;
    return Math.min(BURST, (this.#left[place] ?? 0) + seconds * PER_SECOND);
  }

  #settle(place: number, mac: Mac): number {
    this.#macs[place] = mac;
    this.#toldAt[place] = Number.NEGATIVE_INFINITY;
    return BURST;
  }
}

/** Fibonacci hashing: machines of one make differ in the low bits only. */
function placeOf(mac: Mac): number {
  const folded = (mac % 0x1_0000_0000) ^ Math.floor(mac / 0x1_0000_0000);
  return Math.imul(folded, 0x9e3779b1) >>> 18;
}
