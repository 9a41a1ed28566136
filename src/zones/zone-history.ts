import { changeSize, condense, following, isLater, serialOf, type ZoneChange } from './zone-change.ts';

/** What is kept of a zone's past. */
export interface HistoryLimits {
  readonly changes: number;
  readonly bytes: number;
}

/** A thousand machines that all come up again twice over; secondaries that were away for longer fetch the zone whole. */
const HISTORY_LIMITS: HistoryLimits = { changes: 4096, bytes: 8 * 1024 * 1024 };
/** A change as large as this is no news but another zone. */
const LARGEST_CHANGE = 512 * 1024;
/** Of a small zone so much is kept in any case, as a message holds that much. */
const ALWAYS = 16_384;

interface Step {
  readonly change: ZoneChange;
  readonly size: number;
}

/**
 * The latest changes of one zone, without a gap, up to the serial it has now. Never more of them than the whole zone would be
 * to send.
 */
export class ZoneHistory {
  readonly #limits: HistoryLimits;
  #steps: Step[] = [];
  #bytes = 0;

  constructor(limits: HistoryLimits = HISTORY_LIMITS) {
    this.#limits = limits;
  }

  get changes(): readonly ZoneChange[] {
    return this.#steps.map(({ change }) => change);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what came last; one that does not begin where the last ended begins a new history. `zoneSize`: octets of the zone. Returns how many of the oldest were forgotten. */
  add(change: ZoneChange, zoneSize: number): number {
    const last = this.#steps.at(-1)?.change;
    let forgotten = 0;
    if (last && serialOf(last.to) !== serialOf(change.from)) forgotten = this.clear();
    const size = changeSize(change);
    if (size > LARGEST_CHANGE) return forgotten + this.clear();
    this.#steps.push({ change, size });
    this.#bytes += size;
    const most = Math.min(this.#limits.bytes, Math.max(zoneSize, ALWAYS));
    let excess = 0;
    while (this.#bytes > most || this.#steps.length - excess > this.#limits.changes) {
      this.#bytes -= this.#steps[excess++]?.size ?? 0;
    }
    if (excess > 0) this.#steps.splice(0, excess);
    return forgotten + excess;
  }

  /** Forgets all; returns how many there were. */
  clear(): number {
    const count = this.#steps.length;
    this.#steps = [];
    this.#bytes = 0;
    return count;
  }

  /** The way from a serial to now as one change; undefined when it is not known (any more). */
  since(serial: number): ZoneChange | undefined {
    const from = this.#steps.findLastIndex(({ change }) => serialOf(change.from) === serial);
    const [first, ...rest] = from < 0 ? [] : this.#steps.slice(from);
    return first && condense(first.change, ...rest.map(({ change }) => change));
  }
}

/** The serial after `last`: what the zone's file wants if that is later, else one more. */
export function nextSerial(last: number, wanted?: number): number {
  return wanted !== undefined && isLater(wanted, last) ? wanted : following(last);
}
