import type { ThreadNote } from '../service/thread-note.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import type { NamePath } from '../wire/dns/name-path.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { fromChangeColumns } from '../zones/change-columns.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import { recordsOf } from '../zones/zone-columns.ts';
import type { ZoneFinder } from './answer.ts';
import { changeZone } from './change-zone.ts';
import { SliceQueue } from './slice-queue.ts';
import { isAwaited } from './is-awaited.ts';
import { buildZone } from './zone-builder.ts';
import { ZoneSet } from './zone-set.ts';
import type { Zone } from './zone.ts';

interface Held {
  readonly zone: Zone;
  /** Changes are told for it. Else it is answered from until it comes anew. */
  isCurrent: boolean;
}

/** A zone that is being built, beside the one of before. */
interface Building {
  /** What was published since it was written down. */
  readonly changes: ZoneChange[];
  giveUp: () => void;
}

export type ZoneNote = Extract<
  ThreadNote,
  { readonly kind: 'zones' | `zone-${'served' | 'change' | 'gone'}` | 'zone' }
>;

/** The zones of a thread that answers beside the one that has them: as that published them last, a moment ago. */
export class FedZones implements ZoneFinder {
  readonly #work: SliceQueue;
  readonly #want: (origin: NameKey) => void;
  readonly #held = new Map<NameKey, Held>();
  readonly #building = new Map<NameKey, Building>();
  /** The zones that are served, and those of master files that the Plan names. */
  #served = new Set<NameKey>();
  #named: ReadonlySet<NameKey> = new Set();
  /** Which of them are not here. */
  readonly #awaited = new Set<NameKey>();
  readonly #all = new ZoneSet();

  constructor(context: {
    readonly loop: Loop;
    readonly clock: Clock;
    /** Asks for a zone whole. */
    readonly want: (origin: NameKey) => void;
  }) {
    this.#work = new SliceQueue(context);
    this.#want = context.want;
  }

  findAbove(path: NamePath, label: number): Zone | undefined {
    return this.#all.findAbove(path, label);
  }

  isAwaited(path: NamePath): boolean {
    return isAwaited(path, this.#awaited, this.#held);
  }

  /** The zones of master files that a Plan names. */
  expect(origins: Iterable<NameKey>): void {
    const before = this.#named;
    this.#named = new Set(origins);
    for (const origin of new Set([...before, ...this.#named])) this.#judge(origin);
  }

  learn(note: ZoneNote): void {
    switch (note.kind) {
      case 'zones':
        return this.#beginAnew(note.origins);
      case 'zone-served':
        this.#served.add(note.origin);
        return this.#judge(note.origin);
      case 'zone':
        return this.#build(note);
      case 'zone-change':
        return this.#change(fromChangeColumns(note.change));
      case 'zone-gone':
        this.#served.delete(note.origin);
        return this.#drop(note.origin);
    }
  }

  close(): void {
    this.#work.close();
  }

  #beginAnew(origins: readonly NameKey[]): void {
    this.#served = new Set(origins);
    for (const building of this.#building.values()) building.giveUp();
    this.#building.clear();
    for (const [origin, held] of this.#held) {
      held.isCurrent = false;
      // A master file may be read a moment later than this was told
      if (!this.#served.has(origin) && !this.#named.has(origin)) this.#drop(origin);
    }
    this.#awaited.clear();
    for (const origin of [...this.#served, ...this.#named]) this.#judge(origin);
  }

  #build({ zone: columns, changes }: ZoneNote & { readonly kind: 'zone' }): void {
    const { origin } = columns;
    this.#building.get(origin)?.giveUp();
    const building: Building = { changes: changes.map(fromChangeColumns), giveUp: () => {} };
    this.#building.set(origin, building);
    // Of which kind it is matters to who publishes it
    building.giveUp = this.#work.run(buildZone(origin, recordsOf(columns), 'file'), (zone) => {
      this.#building.delete(origin);
      this.#hold(origin, zone, building.changes);
    });
  }

  #hold(origin: NameKey, zone: Zone, changes: readonly ZoneChange[]): void {
    const isCurrent = changes.every((change) => changeZone(zone, change));
    this.#held.set(origin, { zone, isCurrent });
    this.#all.add(zone);
    this.#judge(origin);
    if (!isCurrent) this.#want(origin);
  }

  #change(change: ZoneChange): void {
    const { origin } = change;
    const building = this.#building.get(origin);
    building?.changes.push(change);
    const held = this.#held.get(origin);
    if (!held?.isCurrent || changeZone(held.zone, change)) return;
    held.isCurrent = false;
    if (!building) this.#want(origin);
  }

  #drop(origin: NameKey): void {
    this.#building.get(origin)?.giveUp();
    this.#building.delete(origin);
    this.#held.delete(origin);
    this.#all.remove(origin);
    this.#judge(origin);
  }

  #judge(origin: NameKey): void {
    const isExpected = this.#served.has(origin) || this.#named.has(origin);
    if (isExpected && !this.#held.has(origin)) this.#awaited.add(origin);
    else this.#awaited.delete(origin);
  }
}
