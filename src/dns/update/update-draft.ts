import type { NameKey } from '../../wire/dns/name.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { recordText } from '../../zones/zone-change.ts';

/** What an update needs to see of a zone. */
export interface UpdatableZone {
  readonly origin: NameKey;
  /** The records of a name, the SOA among them at the origin. Empty when there are none, even where names are below it. */
  recordsOf(name: NameKey): readonly ResourceRecord[];
}

/** A zone as it will be if an update goes through: nothing of the zone itself is touched. */
export class UpdateDraft {
  readonly origin: NameKey;
  readonly #zone: UpdatableZone;
  readonly #names = new Map<NameKey, readonly ResourceRecord[]>();

  constructor(zone: UpdatableZone) {
    this.#zone = zone;
    this.origin = zone.origin;
  }

  recordsOf(name: NameKey): readonly ResourceRecord[] {
    return this.#names.get(name) ?? this.#zone.recordsOf(name);
  }

  set(name: NameKey, records: readonly ResourceRecord[]): void {
    this.#names.set(name, records);
  }

  /** What it would take away and add, SOAs included. */
  changes(): { readonly removed: readonly ResourceRecord[]; readonly added: readonly ResourceRecord[] } {
    const removed: ResourceRecord[] = [];
    const added: ResourceRecord[] = [];
    for (const [name, after] of this.#names) {
      const before = this.#zone.recordsOf(name);
      const [old, now] = [new Set(before.map(recordText)), new Set(after.map(recordText))];
      removed.push(...before.filter((record) => !now.has(recordText(record))));
      added.push(...after.filter((record) => !old.has(recordText(record))));
    }
    return { removed, added };
  }
}
