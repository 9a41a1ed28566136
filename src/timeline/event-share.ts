import type { Clock } from '../system/clock.ts';
import type { RackEvent } from './event.ts';

interface Rate {
  readonly burst: number;
  /** Milliseconds in which there is room for one more. */
  readonly pace: number;
}

/**
 * A boot makes some forty events, so that a machine may boot fifty times over before it is cut; then it has what it takes thirty
 * days to fill the standard 64 MiB with.
 */
const MACHINE: Rate = { burst: 2_000, pace: 10_000 };
/** All together: a thousand machines that are new here ask a few times each before they have their addresses. */
const STRANGERS: Rate = { burst: 10_000, pace: 2_000 };
/** More than stories are kept of. */
const MOST_MACHINES = 20_000;

interface Bucket {
  /** Milliseconds, as of `pace`. */
  left: number;
  filledAt: number;
  isCut: boolean;
}

/** `cut`: it is too much from here on, and that is to be told. */
export type Verdict = 'kept' | 'cut' | 'left out';

/**
 * What the timeline keeps of each machine when it tells too much: one that fetches a file over and over, or a flood of made-up
 * MACs, must not push out what happened to all others. The log has it all.
 */
export class EventShare {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #isKnown: (mac: string) => boolean;
  readonly #machines = new Map<string, Bucket>();
  readonly #strangers: Bucket;

  /** `isKnown`: whether this MAC is not made up. */
  constructor(clock: Pick<Clock, 'monotonic'>, isKnown: (mac: string) => boolean) {
    this.#clock = clock;
    this.#isKnown = isKnown;
    this.#strangers = full(STRANGERS, clock.monotonic());
  }

  weigh(event: RackEvent): Verdict {
    const { mac, address } = event;
    if ((mac === undefined && address === undefined) || isRare(event)) return 'kept';
    if (mac === undefined || !this.#isKnown(mac)) return this.#take(this.#strangers, STRANGERS);
    return this.#take(this.#bucketOf(mac), MACHINE);
  }

  #bucketOf(mac: string): Bucket {
    const bucket = this.#machines.get(mac) ?? full(MACHINE, this.#clock.monotonic());
    this.#machines.delete(mac);
    this.#machines.set(mac, bucket);
    const [oldest] = this.#machines.keys();
    if (oldest !== undefined && this.#machines.size > MOST_MACHINES) this.#machines.delete(oldest);
    return bucket;
  }

  #take(bucket: Bucket, { burst, pace }: Rate): Verdict {
    const now = this.#clock.monotonic();
    bucket.left = Math.min(burst * pace, bucket.left + now - bucket.filledAt);
    bucket.filledAt = now;
    // Told anew when it was quiet for long, and not of each of the few that still fit in
    if (bucket.left > (burst * pace) / 2) bucket.isCut = false;
    if (bucket.left >= pace) {
      bucket.left -= pace;
      return 'kept';
    }
    if (bucket.isCut) return 'left out';
    bucket.isCut = true;
    return 'cut';
  }
}

/** What the rack does itself, and what is told once when it begins and once when it ends. */
function isRare({ kind, source }: RackEvent): boolean {
  return source === 'rack' || /^(?:conflict|dhcp-server)\./.test(kind);
}

function full({ burst, pace }: Rate, now: number): Bucket {
  return { left: burst * pace, filledAt: now, isCut: false };
}
