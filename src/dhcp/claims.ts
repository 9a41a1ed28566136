import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { formatRange, rangeSize, type Range } from '../addr/range.ts';

/** More addresses on one card are rather a router that answers for all of them (proxy ARP), and of a small range more than this part. */
const MOST_OF_ONE = 16;
const SHARE_OF_ONE = 1 / 4;
/** Of a range, whoever they are: cards are as easily made up as their addresses, and machines must boot. */
const SHARE_OF_ALL = 3 / 4;
/** Addresses of hosts outside all ranges. */
const MOST_OUTSIDE = 64;

/** Whom not to believe: a card that has too many addresses, or all that claim addresses of a range. */
export type Disbelief = 'card' | 'range';

interface Claim {
  readonly user: Mac;
  /** Monotonic milliseconds. */
  readonly until: number;
  readonly place: string;
}

/** Addresses that some card was seen to use and that nobody lent it: one entry for each, so that made-up cards cost nothing. */
export class Claims {
  readonly #crowded: (range: Range, isCrowded: boolean) => void;
  readonly #claims = new Map<Ip4, Claim>();
  readonly #ofUser = new Map<Mac, number>();
  readonly #ofPlace = new Map<string, number>();
  /** Ranges of which more is claimed than is believed. */
  readonly #full = new Map<string, Range>();

  /** `crowded` is told when more of a range is claimed than is believed, and when that is over. */
  constructor(crowded: (range: Range, isCrowded: boolean) => void) {
    this.#crowded = crowded;
  }

  get size(): number {
    return this.#claims.size;
  }

  /** `user` has `address`, of `range` if any, until then; or why that is not believed: what was before then stands. */
  take(user: Mac, address: Ip4, until: number, range: Range | undefined): Disbelief | undefined {
    const present = this.#claims.get(address);
    const place = range ? formatRange(range) : '';
    if (present?.user !== user && countOf(this.#ofUser, user) >= mostOfOne(range)) return 'card';
    if (present?.place !== place && countOf(this.#ofPlace, place) >= mostOfAll(range)) {
      this.#tellFull(range);
      return 'range';
    }
    if (present) this.#forget(address, present);
    this.#claims.set(address, { user, until, place });
    add(this.#ofUser, user, 1);
    add(this.#ofPlace, place, 1);
    return undefined;
  }

  /** Forgets those whose time is over. `now`: monotonic milliseconds. */
  sweep(now: number): void {
    for (const [address, claim] of this.#claims) if (claim.until <= now) this.#forget(address, claim);
    for (const [place, range] of this.#full) {
      if (countOf(this.#ofPlace, place) >= mostOfAll(range)) continue;
      this.#full.delete(place);
      this.#crowded(range, false);
    }
  }

  #tellFull(range: Range | undefined): void {
    if (!range || this.#full.has(formatRange(range))) return;
    this.#full.set(formatRange(range), range);
    this.#crowded(range, true);
  }

  #forget(address: Ip4, { user, place }: Claim): void {
    this.#claims.delete(address);
    add(this.#ofUser, user, -1);
    add(this.#ofPlace, place, -1);
  }
}

function mostOfOne(range: Range | undefined): number {
  return range ? Math.min(MOST_OF_ONE, Math.max(1, Math.floor(rangeSize(range) * SHARE_OF_ONE))) : MOST_OF_ONE;
}

function mostOfAll(range: Range | undefined): number {
  return range ? Math.max(1, Math.floor(rangeSize(range) * SHARE_OF_ALL)) : MOST_OUTSIDE;
}

function countOf<K>(counts: ReadonlyMap<K, number>, key: K): number {
  return counts.get(key) ?? 0;
}

function add<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = countOf(counts, key) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
