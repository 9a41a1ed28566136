import type { ThreadNote } from '../service/thread-note.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import type { ThreadName } from '../timeline/event.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { toChangeColumns, type ChangeColumns } from '../zones/change-columns.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import { toColumnsInSteps, type ZoneColumns } from '../zones/zone-columns.ts';
import { SliceQueue } from './slice-queue.ts';
import type { Slices } from './slices.ts';
import { recordsIn } from './zone-content.ts';
import type { ZoneFollower } from './zone-publishing.ts';
import type { Zone } from './zone.ts';

/** Records that a thread puts into a zone at once: some milliseconds. Where more changed it builds the zone anew beside the old one. */
const LARGEST_CHANGE = 1000;

/** A zone that is being written down. */
interface Writing {
  readonly to: Set<ThreadName>;
  /** What was published since it was begun. */
  readonly changes: ChangeColumns[];
  readonly giveUp: () => void;
}

/**
 * Tells the threads that answer beside this one what is published, as to secondaries: a zone whole once, then change by change.
 * Each of them knows by the serials whether it has what a change begins with.
 */
export class ZoneFeed implements ZoneFollower {
  readonly #work: SliceQueue;
  readonly #tell: (note: ThreadNote, to?: ThreadName) => void;
  readonly #published: (origin: NameKey) => Zone | undefined;
  readonly #threads = new Set<ThreadName>();
  /** The zones that are served, and who is to have them whole. */
  readonly #served = new Map<NameKey, Set<ThreadName>>();
  readonly #writing = new Map<NameKey, Writing>();

  constructor(context: {
    readonly loop: Loop;
    readonly clock: Clock;
    /** Without `to`: all of them. */
    readonly tell: (note: ThreadNote, to?: ThreadName) => void;
    /** The zone under an origin; undefined while it is not known what is to be published of it. */
    readonly published: (origin: NameKey) => Zone | undefined;
  }) {
    this.#work = new SliceQueue(context);
    this.#tell = context.tell;
    this.#published = context.published;
  }

  /** A thread that knows of no zone, maybe one of that name before it failed. */
  join(thread: ThreadName): void {
    this.#threads.add(thread);
    this.#tell({ kind: 'zones', origins: [...this.#served.keys()] }, thread);
    for (const origin of this.#served.keys()) this.#owe(origin, [thread]);
  }

  /** Those that are not among these are no more. */
  keep(threads: readonly ThreadName[]): void {
    for (const thread of this.#threads) if (!threads.includes(thread)) this.#leave(thread);
  }

  /** A thread must have a zone whole. */
  wanted(thread: ThreadName, origin: NameKey): void {
    if (this.#served.has(origin)) this.#owe(origin, [thread]);
    else this.#tell({ kind: 'zone-gone', origin }, thread);
  }

  served(origin: NameKey): void {
    if (this.#served.has(origin)) return;
    this.#served.set(origin, new Set(this.#threads));
    if (this.#threads.size > 0) this.#tell({ kind: 'zone-served', origin });
  }

  changed(origin: NameKey, change?: ZoneChange): void {
    if (this.#threads.size === 0) return;
    if (change && change.removed.length + change.added.length <= LARGEST_CHANGE) {
      const columns = toChangeColumns(change);
      this.#writing.get(origin)?.changes.push(columns);
      this.#tell({ kind: 'zone-change', change: columns });
    } else if (change) this.#rewrite(origin);
    this.#write(origin);
  }

  withdrawn(origin: NameKey): void {
    if (!this.#served.delete(origin)) return;
    this.#giveUp(origin);
    if (this.#threads.size > 0) this.#tell({ kind: 'zone-gone', origin });
  }

  close(): void {
    this.#work.close();
  }

  #leave(thread: ThreadName): void {
    this.#threads.delete(thread);
    for (const owed of this.#served.values()) owed.delete(thread);
  }

  #owe(origin: NameKey, threads: Iterable<ThreadName>): void {
    const writing = this.#writing.get(origin);
    for (const thread of threads) if (!writing?.to.has(thread)) this.#served.get(origin)?.add(thread);
    this.#write(origin);
  }

  /** What is written down is not to be caught up with: all begin anew. */
  #rewrite(origin: NameKey): void {
    this.#giveUp(origin);
    this.#owe(origin, this.#threads);
  }

  #giveUp(origin: NameKey): void {
    this.#writing.get(origin)?.giveUp();
    this.#writing.delete(origin);
  }

  /** Writes a zone down for all that are to have it, one time after the other. */
  #write(origin: NameKey): void {
    const owed = this.#served.get(origin);
    const zone = this.#published(origin);
    // What settles is told of when it has
    if (!owed || owed.size === 0 || !zone || this.#writing.has(origin)) return;
    const changes: ChangeColumns[] = [];
    const to = new Set(owed);
    owed.clear();
    let isDone = false;
    const giveUp = this.#work.run(writeDown(zone, changes), (columns) => {
      isDone = true;
      this.#writing.delete(origin);
      for (const thread of to) this.#tell({ kind: 'zone', zone: columns, changes }, thread);
      this.#write(origin);
    });
    if (!isDone) this.#writing.set(origin, { to, changes, giveUp });
  }
}

/** Into memory that threads share: however large the zone, to pass it on takes no time. */
function* writeDown(zone: Zone, changes: ChangeColumns[]): Slices<ZoneColumns> {
  // The zone is that of this moment
  changes.length = 0;
  const records = yield* recordsIn(zone.snapshot());
  return yield* toColumnsInSteps(zone.origin, records, (size) => new SharedArrayBuffer(size));
}
