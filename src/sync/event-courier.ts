import { RACK_PATHS } from '../contract/paths.ts';
import { keptSchema } from '../contract/rack-words.ts';
import type { EventSink } from '../service/service.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import { messageOf } from '../system/message-of.ts';
import type { OutboxKeeper } from './outbox-keeper.ts';
import type { StoredRecord } from './outbox.ts';
import { RegionFault } from './region-fault.ts';
import { LinkClosed, type RegionLink } from './region-link.ts';

/** Of one batch: small ones, so that neither side is at one for long. */
const MOST_RECORDS = 500;
const MOST_CHARACTERS = 256 * 1024;
/** A slow line takes its time for a batch. */
const ANSWER_WITHIN = 60_000;
const MOST_ANSWER = 64 * 1024;
/** What was missed is told in a quarter of the time there is: a region that comes back is not the only one's, nor is this computer. */
const PAUSES = 3;
/** However fast the region is: 5,000 records a second. DHCP shares the cores and the disk, and nobody waits for what is a week old. */
const LEAST_PAUSE = 100;
/** What the disk can't give now. */
const DISK_PAUSE = 1_000;

export interface CourierDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly events: EventSink;
  readonly link: Pick<RegionLink, 'ask' | 'ready' | 'distrust'>;
  readonly outbox: Pick<OutboxKeeper, 'stream' | 'forgotten' | 'waiting' | 'lend' | 'settle' | 'giveUp'>;
}

/** Carries what waits in the outbox to the region, in order, one batch at a time. */
export class EventCourier {
  readonly #dependencies: CourierDependencies;
  #most = MOST_RECORDS;
  #wake: (() => void) | undefined;
  #isFilled = false;
  /** It is known what the region has: it may have been put back to an older time while it was away. */
  #isInStep = false;

  constructor(dependencies: CourierDependencies) {
    this.#dependencies = dependencies;
  }

  /** Until the link is closed. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#round();
      } catch (error) {
        if (error instanceof LinkClosed) return;
        this.#isInStep = false;
        // The link knows of it, and makes us wait
        if (!(error instanceof RegionFault)) await this.#pause(DISK_PAUSE);
      }
    }
  }

  /** There is something in the outbox. */
  filled(): void {
    this.#isFilled = true;
    this.#wake?.();
  }

  async #round(): Promise<void> {
    const { clock, link, outbox } = this.#dependencies;
    // What is lent is not given up: not while nobody could send it
    await link.ready('events');
    if (!this.#isInStep) await this.#getInStep();
    this.#isFilled = false;
    const records = outbox.lend(this.#most, MOST_CHARACTERS);
    if (records.length === 0) return this.#untilFilled();
    const began = clock.monotonic();
    await this.#send(records);
    // However few fill a batch, where they are long
    if (outbox.waiting().count === 0) return;
    await this.#pause(Math.max(LEAST_PAUSE, PAUSES * (clock.monotonic() - began)));
  }

  /** Asks what the region has. */
  async #getInStep(): Promise<void> {
    const { outbox } = this.#dependencies;
    const { stream } = outbox;
    outbox.settle(stream, await this.#tellNothing());
    this.#isInStep = true;
  }

  async #tellNothing(): Promise<number> {
    try {
      return await this.#tell([]);
    } catch (error) {
      // If it takes none at all, it is no record's fault
      if (error instanceof RegionFault && error.kind === 'rejected')
        this.#dependencies.link.distrust('events', messageOf(error));
      throw error;
    }
  }

  async #send(records: readonly StoredRecord[]): Promise<void> {
    const { outbox, link } = this.#dependencies;
    const { stream } = outbox;
    try {
      const kept = await this.#tell(records);
      outbox.settle(stream, kept);
      if (kept < (records[0]?.number ?? 0)) link.distrust('events', `has of ${records.length} events none`);
      else this.#most = Math.min(2 * this.#most, MOST_RECORDS);
    } catch (error) {
      if (!(error instanceof RegionFault) || error.kind !== 'rejected') throw error;
      await this.#divide(records, error.message);
    }
  }

  /** Gives the highest number that the region has. */
  async #tell(records: readonly StoredRecord[]): Promise<number> {
    const { clock, outbox, link } = this.#dependencies;
    const head = JSON.stringify({
      stream: outbox.stream,
      sentAt: clock.now(),
      ...(outbox.forgotten && { forgotten: outbox.forgotten }),
    });
    const list = records.map(({ number, body }) => `{"number":${number},${body.slice(1)}`);
    const body = `${head.slice(0, -1)},"records":[${list.join(',')}]}`;
    const wish = { method: 'POST', path: RACK_PATHS.events, body, within: ANSWER_WITHIN, most: MOST_ANSWER } as const;
    return (await link.ask('events', wish, keptSchema, true))?.kept ?? 0;
  }

  /** Somewhere in these is one that the region can't take. It must not hold up all that is behind it for good. */
  async #divide(records: readonly StoredRecord[], reason: string): Promise<void> {
    const [record] = records;
    if (records.length > 1 || !record) {
      this.#most = Math.max(1, Math.floor(records.length / 2));
      return;
    }
    const { outbox, events } = this.#dependencies;
    await this.#tellNothing();
    outbox.giveUp(record);
    const { kind } = JSON.parse(record.body) as { kind: string };
    events.emit({ kind: 'region.record-refused', record: kind, reason });
  }

  async #untilFilled(): Promise<void> {
    if (this.#isFilled) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#dependencies.loop.after(milliseconds, resolve);
    });
  }
}
