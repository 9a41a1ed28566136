import type { EventSink } from '../service/service.ts';
import type { Clock } from '../system/clock.ts';

/** More than a way there and back, and less than anybody's patience with two logs that are to be laid side by side. */
const WRONG_SECONDS = 60;
const RIGHT_SECONDS = 30;

/** How far the region's clock is ahead of ours. Nothing hangs on it: numbers order what is told, and not times. */
export class ClockSkew {
  readonly #clock: Clock;
  readonly #events: EventSink;
  #seconds: number | undefined;
  #isWrong = false;

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  get seconds(): number | undefined {
    return this.#seconds;
  }

  /** The region said `at` (Unix milliseconds) in answer to what was asked when the monotonic clock said `askedAt`. */
  learn(at: number, askedAt: number): void {
    // Halfway, as nobody knows which way took longer
    const then = this.#clock.now() - (this.#clock.monotonic() - askedAt) / 2;
    const seconds = Math.round((at - then) / 1000);
    this.#seconds = seconds;
    if (!this.#isWrong && Math.abs(seconds) > WRONG_SECONDS) {
      this.#isWrong = true;
      this.#events.emit({ kind: 'region.clock-wrong', seconds });
    } else if (this.#isWrong && Math.abs(seconds) < RIGHT_SECONDS) {
      this.#isWrong = false;
      this.#events.emit({ kind: 'region.clock-right' });
    }
  }
}
