import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import type { SendLimits } from './send-limits.ts';
import type { TokenBucket } from './token-bucket.ts';

/** What a sending tells the schedule. */
export interface SendingSigns {
  /** It can send again. */
  ready(): void;
  ended(): void;
}

/** Something that has bytes for one client. */
export interface Sending {
  /** Bytes in all. */
  readonly length: number;
  /** Whose it is: the address. */
  readonly client: string;
  readonly isReady: boolean;
  /** Bytes on their way so far. */
  readonly given: number;
  begin(signs: SendingSigns): void;
  /** Sends at most so many bytes, without waiting; tells how many. */
  turn(most: number): number;
  /** Bytes that have arrived; undefined while the connection is not its own yet. */
  delivered(): number | undefined;
  /** It is its turn for full speed, `waited` milliseconds after it came. */
  hasPlace(waited: number): void;
  giveUp(reason: string): void;
}

/**
 * `small` is never held back; of the large ones, those that are `placed` go at full speed and those `waiting` get a
 * trickle. One that is `slow` by its own fault is not held back, and takes nobody's place.
 */
type Lane = 'small' | 'placed' | 'waiting' | 'slow';

interface Transfer {
  readonly sending: Sending;
  readonly bucket: TokenBucket | undefined;
  readonly arrived: number;
  lane: Lane;
  /** What it may send while it waits. */
  credit: number;
  trickleAt: number;
  /** When it is to be looked at again. */
  lookAt: number;
  /** Before then it need not be asked again whether it could have a place. */
  tryAt: number;
  /** How far it was when its speed was last measured, and when it was last seen to get on at all. */
  speedMark: Mark;
  stallMark: Mark;
}

interface Mark {
  readonly at: number;
  readonly delivered: number;
}

/** Charged for a turn in which nothing could be sent: turns cost, too. */
const TURN_COST = 4096;
const LOOK_AT_OTHERS = 1000;
/** Thousands that hardly read are not to be asked at every look how far they are. */
const TRY_AGAIN = 200;

export interface ScheduleDependencies {
  readonly limits: SendLimits;
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  /** Calls back after Node saw to its other events. */
  readonly defer: (callback: () => void) => void;
}

/**
 * Who sends how much, and when. Everyone in turn, a bounded piece at a time. When a thousand machines want a large file
 * at once, the first are done first and boot, instead of all being done at the very end: a few go at full speed, in
 * the order they came, and the others get just enough not to give up.
 */
export class SendSchedule {
  readonly #limits: SendLimits;
  readonly #clock: Clock;
  readonly #loop: Pick<Loop, 'after'>;
  readonly #defer: (callback: () => void) => void;
  readonly #all = new Set<Transfer>();
  /** Those that can send, in the order of their turns. */
  readonly #ready = new Set<Transfer>();
  /** In the order they came. */
  readonly #waiting = new Set<Transfer>();
  #placed = 0;
  /** Of those placed, by client. */
  readonly #placedOf = new Map<string, number>();
  #isDue = false;
  #review: Timer | undefined;

  constructor({ limits, clock, loop, defer }: ScheduleDependencies) {
    this.#limits = limits;
    this.#clock = clock;
    this.#loop = loop;
    this.#defer = defer;
  }

  /** `bucket`: what its client's speed is held to. */
  enter(sending: Sending, bucket?: TokenBucket): void {
    const now = this.#clock.monotonic();
    const mark = { at: now, delivered: 0 };
    const transfer: Transfer = {
      sending,
      bucket,
      arrived: now,
      lane: this.#laneFor(sending, bucket),
      credit: this.#limits.first,
      trickleAt: now + this.#limits.trickleEvery,
      lookAt: now + this.#limits.review,
      tryAt: now,
      speedMark: mark,
      stallMark: mark,
    };
    this.#all.add(transfer);
    this.#ready.add(transfer);
    if (transfer.lane === 'placed') this.#countPlace(sending, 1);
    if (transfer.lane === 'waiting') this.#waiting.add(transfer);
    sending.begin({ ready: () => this.#wake(transfer), ended: () => this.#leave(transfer) });
    this.#plan();
  }

  /** How many transfers there are, and how many of them wait for full speed. */
  levels(): { readonly sending: number; readonly waiting: number } {
    return { sending: this.#all.size, waiting: this.#waiting.size };
  }

  close(): void {
    this.#review?.cancel();
    this.#review = undefined;
  }

  #laneFor(sending: Sending, bucket: TokenBucket | undefined): Lane {
    if (sending.length < this.#limits.large) return 'small';
    if (bucket !== undefined && bucket.rate <= this.#limits.slow) return 'slow';
    return this.#hasPlaceFor(sending) ? 'placed' : 'waiting';
  }

  /** One machine that opens many connections must not keep all others waiting. */
  #hasPlaceFor({ client }: Sending): boolean {
    const { places, placesOfClient } = this.#limits;
    return this.#placed < places && (this.#placedOf.get(client) ?? 0) < placesOfClient;
  }

  #countPlace({ client }: Sending, by: 1 | -1): void {
    this.#placed += by;
    const left = (this.#placedOf.get(client) ?? 0) + by;
    if (left > 0) this.#placedOf.set(client, left);
    else this.#placedOf.delete(client);
  }

  #wake(transfer: Transfer): void {
    if (!this.#all.has(transfer)) return;
    this.#ready.add(transfer);
    this.#plan();
  }

  #leave(transfer: Transfer): void {
    if (!this.#all.delete(transfer)) return;
    this.#ready.delete(transfer);
    this.#waiting.delete(transfer);
    if (transfer.lane !== 'placed') return;
    this.#countPlace(transfer.sending, -1);
    this.#fillPlaces();
  }

  #plan(): void {
    if (!this.#isDue && this.#ready.size > 0) {
      this.#isDue = true;
      this.#defer(() => this.#tick());
    }
    if (this.#review === undefined && this.#all.size > 0) {
      this.#review = this.#loop.after(this.#limits.review, () => this.#lookAround());
    }
  }

  #tick(): void {
    this.#isDue = false;
    let budget = this.#limits.tick;
    // One that is put back meanwhile comes again after all others.
    for (const transfer of this.#ready) {
      if (budget <= 0) break;
      this.#ready.delete(transfer);
      budget -= Math.max(this.#serve(transfer), TURN_COST);
    }
    this.#plan();
  }

  #serve(transfer: Transfer): number {
    const { sending, bucket, lane } = transfer;
    const most = Math.min(this.#limits.turn, lane === 'waiting' ? transfer.credit : Infinity);
    const paced = Math.min(most, bucket?.available() ?? Infinity);
    if (!sending.isReady || most === 0) return 0;
    if (paced === 0) {
      this.#loop.after(bucket?.wait() ?? 1, () => this.#wake(transfer));
      return 0;
    }
    const given = sending.turn(paced);
    bucket?.take(given);
    if (lane === 'waiting') transfer.credit -= given;
    if (sending.isReady && this.#all.has(transfer)) this.#ready.add(transfer);
    return given;
  }

  #lookAround(): void {
    this.#review = undefined;
    const now = this.#clock.monotonic();
    for (const transfer of this.#all) {
      if (transfer.lookAt <= now) this.#look(transfer, now);
    }
    this.#fillPlaces();
    this.#plan();
  }

  #look(transfer: Transfer, now: number): void {
    const limits = this.#limits;
    if (transfer.lane === 'waiting' && transfer.trickleAt <= now) {
      transfer.credit += limits.trickle;
      transfer.trickleAt = now + limits.trickleEvery;
      this.#wake(transfer);
    }
    const { sending, speedMark, stallMark } = transfer;
    const delivered = sending.delivered();
    const progress = delivered ?? 0;
    if (transfer.lane === 'placed' || transfer.lane === 'slow') {
      // Two looks: one may come early
      if (now - speedMark.at >= 2 * limits.review) {
        this.#judgeSpeed(transfer, (progress - speedMark.delivered) / ((now - speedMark.at) / 1000));
        transfer.speedMark = { at: now, delivered: progress };
      }
    }
    if (delivered === undefined || progress >= sending.given || progress - stallMark.delivered >= limits.stallBytes) {
      transfer.stallMark = { at: now, delivered: progress };
    } else if (now - stallMark.at >= limits.stallWindow) {
      const seconds = Math.round(limits.stallWindow / 1000);
      sending.giveUp(`the client took less than ${limits.stallBytes} bytes in ${seconds} s`);
    }
    transfer.lookAt = now + (transfer.lane === 'placed' ? limits.review : LOOK_AT_OTHERS);
  }

  /** `speed`: bytes a second. */
  #judgeSpeed(transfer: Transfer, speed: number): void {
    const { slow } = this.#limits;
    const fast = transfer.bucket === undefined ? slow : Math.min(slow, transfer.bucket.rate / 2);
    if (transfer.lane === 'placed' && speed < fast) {
      transfer.lane = 'slow';
      this.#countPlace(transfer.sending, -1);
    } else if (transfer.lane === 'slow' && speed > 2 * slow && this.#hasPlaceFor(transfer.sending)) {
      transfer.lane = 'placed';
      this.#countPlace(transfer.sending, 1);
    }
  }

  /** The first who came and has taken all it was given so far: who does not even do that would only hold up others. */
  #fillPlaces(): void {
    const now = this.#clock.monotonic();
    for (const transfer of this.#waiting) {
      if (this.#placed >= this.#limits.places) return;
      if (transfer.tryAt > now) continue;
      const { sending } = transfer;
      if (!this.#hasPlaceFor(sending)) continue;
      if (sending.given > 0 && sending.delivered() === sending.given) this.#place(transfer, now);
      else transfer.tryAt = now + TRY_AGAIN;
    }
  }

  #place(transfer: Transfer, now: number): void {
    this.#waiting.delete(transfer);
    transfer.lane = 'placed';
    this.#countPlace(transfer.sending, 1);
    transfer.speedMark = { at: now, delivered: transfer.sending.given };
    transfer.lookAt = now + this.#limits.review;
    transfer.sending.hasPlace(Math.round(now - transfer.arrived));
    this.#wake(transfer);
  }
}
