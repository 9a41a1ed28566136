import type { RandomBits } from '../../system/random-bits.ts';
import type { Upstream } from './upstream.ts';

/** One question in so many begins with another than the best: it may have become the better one. */
const CURIOSITY = 32;

/** The servers that know about a part of the name space. */
export class UpstreamGroup {
  readonly upstreams: readonly Upstream[];
  readonly #random: RandomBits;

  constructor(upstreams: readonly Upstream[], random: RandomBits) {
    this.upstreams = upstreams;
    this.#random = random;
  }

  /** All of them were given up. */
  get isDown(): boolean {
    return this.upstreams.every(({ health }) => !health.isUp);
  }

  /** When one of them was last back after it had been given up; milliseconds. */
  get recoveredAt(): number {
    return Math.max(-Infinity, ...this.upstreams.map(({ health }) => health.recoveredAt));
  }

  /** Which to ask first for a new question. */
  first(): Upstream | undefined {
    const up = this.upstreams.filter(({ health }) => health.isUp);
    if (up.length > 1 && this.#random.uint16() % CURIOSITY === 0) return up[this.#random.uint16() % up.length];
    return this.next(new Set());
  }

  /** The best of those not `tried` yet; one that was given up only when no other is left. */
  next(tried: ReadonlySet<Upstream>): Upstream | undefined {
    let best: Upstream | undefined;
    for (const upstream of this.upstreams) {
      if (!tried.has(upstream) && (best === undefined || isBetter(upstream, best))) best = upstream;
    }
    return best;
  }
}

function isBetter({ health }: Upstream, { health: other }: Upstream): boolean {
  return health.isUp === other.isUp ? health.cost < other.cost : health.isUp;
}
