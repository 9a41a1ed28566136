import type { NameKey } from '../../wire/dns/name.ts';
import type { RecordSet } from '../../wire/dns/record-set.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { addDifference } from '../zone.ts';
import { DraftSet } from './draft-set.ts';

/** What an update needs to see of a zone. */
export interface UpdatableZone {
  readonly origin: NameKey;
  /** The sets of a name, the SOA among them at the origin. Empty when there are none, even where names are below it. */
  setsOf(name: NameKey): readonly RecordSet[];
  /** Whether a record is there by the zone's file, and by no update. */
  isOfFile(record: ResourceRecord): boolean;
}

/** A set that an update changes. */
export interface SetChange {
  readonly owner: NameKey;
  readonly type: number;
  /** Undefined where there is none. */
  readonly before: RecordSet | undefined;
  readonly after: RecordSet | undefined;
}

export interface DraftChanges {
  readonly sets: readonly SetChange[];
  /** What would be taken away and added, SOAs included. */
  readonly removed: readonly ResourceRecord[];
  readonly added: readonly ResourceRecord[];
  /**
   * The same without the records that the file has and the update says nothing of: they only follow the TTL of their set
   * (RFC 2181 §5.2), and stay the file's.
   */
  readonly own: { readonly removed: readonly ResourceRecord[]; readonly added: readonly ResourceRecord[] };
}

/** A zone as it will be if an update goes through: nothing of the zone itself is touched. */
export class UpdateDraft {
  readonly origin: NameKey;
  readonly #zone: UpdatableZone;
  readonly #names = new Map<NameKey, Map<number, DraftSet>>();

  constructor(zone: UpdatableZone) {
    this.#zone = zone;
    this.origin = zone.origin;
  }

  /** The sets of a name that are or were there, by type; what is empty by now is no set. */
  setsOf(name: NameKey): ReadonlyMap<number, DraftSet> {
    return this.#setsOf(name);
  }

  /** A set that may be there, or be made. */
  set(name: NameKey, type: number): DraftSet {
    const sets = this.#setsOf(name);
    const set = sets.get(type) ?? new DraftSet(name, type, undefined);
    sets.set(type, set);
    return set;
  }

  changes(): DraftChanges {
    const sets: SetChange[] = [];
    const [all, own] = [new Differences(), new Differences()];
    for (const set of [...this.#names.values()].flatMap((types) => [...types.values()])) {
      if (!set.isChanged) continue;
      const { owner, type, before } = set;
      const after = set.compile((record) => this.#zone.isOfFile(record));
      const found = new Differences();
      addDifference(owner, before, after, found);
      if (found.size > 0) sets.push({ owner, type, before, after });
      all.take(found, () => true);
      own.take(found, (record) => !set.keeps(record.data) || !this.#zone.isOfFile(record));
    }
    return { sets, removed: all.removed, added: all.added, own };
  }

  #setsOf(name: NameKey): Map<number, DraftSet> {
    const known = this.#names.get(name);
    if (known) return known;
    const sets = new Map(this.#zone.setsOf(name).map((set) => [set.type, new DraftSet(name, set.type, set)]));
    this.#names.set(name, sets);
    return sets;
  }
}

class Differences {
  readonly removed: ResourceRecord[] = [];
  readonly added: ResourceRecord[] = [];

  get size(): number {
    return this.removed.length + this.added.length;
  }

  take({ removed, added }: Differences, isWanted: (record: ResourceRecord) => boolean): void {
    this.removed.push(...removed.filter(isWanted));
    this.added.push(...added.filter(isWanted));
  }
}
