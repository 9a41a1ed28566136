import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventLetter } from '../service/region-letters.ts';
import type { EventSink } from '../service/service.ts';
import type { Clock } from '../system/clock.ts';
import { isDamage } from '../system/database-file.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { messageOf } from '../system/message-of.ts';
import { isKeptForRegion } from '../timeline/is-reported.ts';
import { leaseBound, leaseEnded, tellingBegun, tellingEnded } from './lease-records.ts';
import type { OpenedOutbox } from './open-outbox.ts';
import type { Addition, Forgotten, NewRecord, Outbox, OutboxBounds, StoredRecord, Waiting } from './outbox.ts';

/** Lease changes wait for company: one commit for all of a busy moment. */
const GATHER_MILLISECONDS = 250;
/** What could not be written is tried again. */
const RETRY_MILLISECONDS = 1_000;
/** Bounds are looked at after so many records, and so often where nothing comes. */
const TRIM_EVERY = 1_000;
const TRIM_MILLISECONDS = 600_000;
/** Of a whole telling of leases: one commit, and what may wait before the next. */
const SLICE = 2_000;
const SLICE_MILLISECONDS = 20;
const MOST_AHEAD = 10_000;

export interface KeeperDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly events: EventSink;
  readonly open: (bounds: OutboxBounds) => OpenedOutbox;
  /** The letter is on disk. */
  readonly taken: (letter: number) => void;
  /** All leases are wished for; they come with this number. */
  readonly wishForLeases: (id: number) => void;
  /** There is something to send. */
  readonly filled: () => void;
}

/** How far the region is told of leases. `owed`: it does not know them; `wished`: they are on their way here; `telling`: partly written. */
type Telling =
  | { readonly step: 'owed' | 'wished' | 'told' }
  | {
      readonly step: 'telling';
      readonly leases: readonly LeaseFact[];
      next: number;
      readonly later: Map<Ip4, LeaseFact | 'ended'>;
    };

/**
 * Fills the outbox and keeps it sound. Events are all written, or stay with who handed them over. Leases are a matter of how it is now:
 * while the region is not told of them whole, their changes are not worth writing, as it is told of all of them later.
 */
export class OutboxKeeper {
  readonly #dependencies: KeeperDependencies;
  #outbox: Outbox;
  #bounds: OutboxBounds;
  #telling: Telling = { step: 'owed' };
  #isConnected = false;
  /** Changes of leases that are not written yet, in the order of the last of each. */
  readonly #changes = new Map<Ip4, LeaseFact | 'ended'>();
  readonly #letters: EventLetter[] = [];
  #gathering: Timer | undefined;
  #slicing: Timer | undefined;
  #trimming: Timer | undefined;
  #sinceTrim = 0;
  #wishes = 0;
  #isFailing = false;
  #hasToldForgotten = false;
  /** What this thread knows of the region's part of a stream: the highest number that it has said to have, and the highest it can have. */
  #known: { readonly stream: string; readonly has: number; readonly most: number } | undefined;

  constructor(dependencies: KeeperDependencies, bounds: OutboxBounds) {
    this.#dependencies = dependencies;
    this.#bounds = bounds;
    this.#outbox = this.#open();
    this.#trimLater();
  }

  get stream(): string {
    return this.#outbox.stream;
  }

  get forgotten(): Forgotten | undefined {
    return this.#outbox.forgotten;
  }

  waiting(): Waiting {
    try {
      return this.#mend(() => this.#outbox.waiting());
    } catch {
      return { count: this.#outbox.count };
    }
  }

  /** The oldest records: see Outbox. None while the disk can't be read. */
  lend(most: number, characters: number): StoredRecord[] {
    return this.#mend(() => {
      const records = this.#outbox.lend(most, characters);
      const last = records.at(-1)?.number ?? 0;
      if (this.#known) this.#known = { ...this.#known, most: Math.max(this.#known.most, last) };
      return records;
    });
  }

  /**
   * Of this stream the region has all up to `kept`. More than was ever written here is not of this file: it counts as another; so
   * does what nobody here has sent. Less than it had: it was put back to an older time, and what it knows of leases is old.
   */
  settle(stream: string, kept: number): void {
    this.#mend(() => {
      // The file was begun anew while this was under way
      if (stream !== this.#outbox.stream) return;
      const known = this.#known?.stream === stream ? this.#known : undefined;
      const isDoubled = known !== undefined && kept > known.most;
      if (isDoubled || kept > this.#outbox.last) return this.#beginStream(isDoubled);
      this.#outbox.settle(kept);
      this.#known = { stream, has: kept, most: Math.max(known?.most ?? 0, kept) };
      if (known && kept < known.has) this.#wentBack(known.has - kept);
    });
    this.#wishForLeases();
  }

  /** The region can't take this record. */
  giveUp(record: StoredRecord): void {
    this.#mend(() => this.#outbox.giveUp(record.number));
  }

  /** Whether what is told gets there. */
  connected(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    if (isConnected) {
      this.#hasToldForgotten = false;
      this.#wishForLeases();
    } else if (this.#telling.step !== 'told') this.#owe();
  }

  bound(bounds: OutboxBounds): void {
    this.#bounds = bounds;
    this.#outbox.bound(bounds);
  }

  take(letter: EventLetter): void {
    this.#letters.push(letter);
    this.#write();
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    const telling = this.#telling;
    if (telling.step === 'owed' || telling.step === 'wished') return;
    const changes = telling.step === 'telling' ? telling.later : this.#changes;
    for (const address of ended) put(changes, address, 'ended');
    for (const fact of bound) if (!fact.elsewhere) put(changes, fact.address, fact);
    if (telling.step === 'told' && changes.size > 0) this.#gather(GATHER_MILLISECONDS);
  }

  /** All leases there are, as they were wished for. */
  tellAll(id: number, leases: readonly LeaseFact[]): void {
    if (this.#telling.step !== 'wished' || id !== this.#wishes) return;
    this.#telling = { step: 'telling', leases, next: 0, later: new Map() };
    this.#slice();
  }

  close(): void {
    this.#write();
    for (const timer of [this.#gathering, this.#slicing, this.#trimming]) timer?.cancel();
    this.#outbox.close();
  }

  #open(): Outbox {
    const { events, open } = this.#dependencies;
    const { outbox, replaced, fault } = open(this.#bounds);
    if (replaced) events.emit({ kind: 'region.outbox-replaced', ...replaced });
    if (fault !== undefined) events.emit({ kind: 'region.outbox-failed', reason: fault });
    return outbox;
  }

  /** Does what must be done with a sound file, with another one where this is damaged. Throws what the disk says. */
  #mend<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#outbox.close();
      this.#outbox = this.#open();
      this.#owe();
      return work();
    }
  }

  #beginStream(isDoubled: boolean): void {
    this.#outbox.beginStream();
    this.#known = undefined;
    this.#owe();
    if (isDoubled) this.#dependencies.events.emit({ kind: 'region.doubled' });
  }

  #wentBack(records: number): void {
    this.#owe();
    this.#dependencies.events.emit({ kind: 'region.went-back', records });
  }

  #owe(): void {
    this.#telling = { step: 'owed' };
    this.#changes.clear();
    this.#slicing?.cancel();
  }

  /** When the region is there and has nearly all else: so a telling is behind it, and fits. */
  #wishForLeases(): void {
    if (!this.#isConnected || this.#telling.step !== 'owed' || this.#outbox.count > SLICE) return;
    this.#telling = { step: 'wished' };
    this.#dependencies.wishForLeases(++this.#wishes);
  }

  #gather(milliseconds: number): void {
    this.#gathering ??= this.#dependencies.loop.after(milliseconds, () => {
      this.#gathering = undefined;
      this.#write();
    });
  }

  /** All that has gathered; what the disk does not take is tried again. */
  #write(): void {
    try {
      for (let letter = this.#letters[0]; letter; letter = this.#letters[0]) {
        this.#writeLetter(letter);
        this.#letters.shift();
        this.#dependencies.taken(letter.number);
      }
      this.#writeChanges();
    } catch (error) {
      this.#fail(error);
      this.#gather(RETRY_MILLISECONDS);
    }
  }

  #writeLetter(letter: EventLetter): void {
    if (this.#outbox.hasTaken(letter)) return;
    const { life, number, lines, forgotten } = letter;
    this.#add({
      records: recordsIn(lines, this.#isConnected),
      letter: { life, number },
      ...(forgotten && { forgotten }),
    });
  }

  #writeChanges(): void {
    if (this.#changes.size === 0) return;
    const at = this.#dependencies.clock.now();
    this.#add({ records: Array.from(this.#changes, ([address, fact]) => changed(at, address, fact)) });
    this.#changes.clear();
  }

  #add(addition: Addition): void {
    this.#mend(() => this.#outbox.add(addition));
    if (this.#isFailing) this.#dependencies.events.emit({ kind: 'region.outbox-works' });
    this.#isFailing = false;
    this.#sinceTrim += addition.records.length;
    if (this.#sinceTrim >= TRIM_EVERY) this.#trim();
    if (addition.records.length > 0) this.#dependencies.filled();
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) this.#dependencies.events.emit({ kind: 'region.outbox-failed', reason: messageOf(error) });
    this.#isFailing = true;
    // Changes of leases need not wait for the disk: the region is told of all when it is there again
    if (this.#changes.size > 0) this.#owe();
  }

  /** A part of the telling, when most of what was told is away. */
  #slice(): void {
    const telling = this.#telling;
    if (telling.step !== 'telling') return;
    this.#slicing = this.#dependencies.loop.after(SLICE_MILLISECONDS, () => this.#slice());
    if (this.#outbox.count > MOST_AHEAD) return;
    const at = this.#dependencies.clock.now();
    const { leases, next, later } = telling;
    const end = Math.min(next + SLICE, leases.length);
    const records = leases.slice(next, end).map((fact) => leaseBound(at, fact));
    if (next === 0) records.unshift(tellingBegun(at));
    if (end === leases.length) records.push(tellingEnded(at));
    try {
      this.#add({ records, beginsTelling: next === 0 });
    } catch (error) {
      return this.#fail(error);
    }
    // Adding may have trimmed what was told before
    if (this.#telling !== telling) return;
    telling.next = end;
    if (end < leases.length) return;
    this.#slicing.cancel();
    this.#telling = { step: 'told' };
    for (const [address, fact] of later) put(this.#changes, address, fact);
    this.#gather(GATHER_MILLISECONDS);
  }

  #trim(): void {
    this.#sinceTrim = 0;
    const gone = this.#mend(() => this.#outbox.trim());
    if (gone === 0) return;
    this.#owe();
    const { forgotten } = this.#outbox;
    if (forgotten && !this.#hasToldForgotten) {
      this.#hasToldForgotten = true;
      this.#dependencies.events.emit({ kind: 'region.forgotten', ...forgotten });
    }
  }

  #trimLater(): void {
    this.#trimming = this.#dependencies.loop.after(TRIM_MILLISECONDS, () => {
      try {
        this.#trim();
      } catch (error) {
        this.#fail(error);
      }
      this.#trimLater();
    });
  }
}

function put(changes: Map<Ip4, LeaseFact | 'ended'>, address: Ip4, fact: LeaseFact | 'ended'): void {
  changes.delete(address);
  changes.set(address, fact);
}

function changed(at: number, address: Ip4, fact: LeaseFact | 'ended'): NewRecord {
  return fact === 'ended' ? leaseEnded(at, address) : leaseBound(at, fact);
}

/** `isTold`: they get to the region at once, so that also what is worth nothing later is told. */
function recordsIn(lines: string, isTold: boolean): NewRecord[] {
  return lines.split('\n').flatMap((body) => {
    if (body === '') return [];
    const { kind } = JSON.parse(body) as { kind: string };
    return isTold || isKeptForRegion({ kind }) ? [{ isLease: false, body }] : [];
  });
}
