import type { Clock } from '../system/clock.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { following, isLater } from '../zones/zone-change.ts';

/** Where the serials of zones come from. */
export interface SerialSource {
  /** The next serial of a zone. `wanted`: what its file says, which it gets if that is later than the last one. */
  nextSerial(origin: NameKey, wanted?: number): number;
}

/**
 * Zone serials that only rise: Unix seconds, or one more than the last when several fall into a second. After a
 * restart they go on above the old ones, unless there was more than a change a second all along.
 */
export class Serials implements SerialSource {
  readonly #clock: Clock;
  readonly #last = new Map<NameKey, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nextSerial(origin: NameKey, wanted?: number): number {
    const last = this.#last.get(origin);
    const serial = this.#after(last, wanted ?? Math.floor(this.#clock.now() / 1000) >>> 0);
    this.#last.set(origin, serial);
    return serial;
  }

  #after(last: number | undefined, wanted: number): number {
    return last === undefined || isLater(wanted, last) ? wanted : following(last);
  }
}
