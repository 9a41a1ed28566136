import type { NameKey } from '../wire/dns/name.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { OverlayChange } from './zone-journal.ts';
import type { Overlay } from './zone-store.ts';

/**
 * What updates did to a zone, beside what its file says: the zone is (file − deleted) ∪ added, whatever becomes of the file.
 * TTLs do not tell records apart; an SOA that was added stands in the place of the file's.
 */
export class ZoneOverlay {
  readonly #added = new Map<string, ResourceRecord>();
  readonly #deleted = new Map<string, ResourceRecord>();
  /** What the file has. */
  #file = new Set<string>();

  constructor({ added, deleted }: Overlay = { added: [], deleted: [] }) {
    for (const record of added) this.#added.set(identity(record), record);
    for (const record of deleted) this.#deleted.set(identity(record), record);
  }

  get size(): number {
    return this.#added.size + this.#deleted.size;
  }

  /** Whether a record is there because the file has it, and not because an update added it. */
  isOfFile(record: ResourceRecord): boolean {
    const name = identity(record);
    return this.#file.has(name) && !this.#added.has(name);
  }

  /** The zone's records, by those of its file, which are remembered. */
  *over(file: Iterable<ResourceRecord>): Generator<ResourceRecord> {
    this.#file = new Set();
    const hasSoa = [...this.#added.values()].some(({ type }) => type === TYPE.SOA);
    for (const record of file) {
      const name = identity(record);
      this.#file.add(name);
      const isReplaced = this.#added.has(name) || (hasSoa && record.type === TYPE.SOA);
      if (!isReplaced && !this.#deleted.has(name)) yield record;
    }
    yield* this.#added.values();
  }

  /** What must be put down for an update that takes `removed` away and adds `added`; nothing is changed yet. */
  plan(removed: readonly ResourceRecord[], added: readonly ResourceRecord[]): OverlayChange {
    const put: { record: ResourceRecord; isDeleted: boolean }[] = [];
    const dropped: ResourceRecord[] = [];
    const comes = new Set(added.map(identity));
    for (const record of removed) {
      // Its TTL or its spelling changes, or it is the SOA, which only ever is replaced
      if (comes.has(identity(record)) || record.type === TYPE.SOA) continue;
      if (this.#file.has(identity(record))) put.push({ record, isDeleted: true });
      else dropped.push(record);
    }
    const oldSoas = added.some(({ type }) => type === TYPE.SOA)
      ? [...this.#added.values()].filter(({ type }) => type === TYPE.SOA)
      : [];
    for (const record of added) put.push({ record, isDeleted: false });
    return { put, dropped: [...dropped, ...oldSoas] };
  }

  apply({ put, dropped }: OverlayChange): void {
    for (const record of dropped) {
      this.#added.delete(identity(record));
      this.#deleted.delete(identity(record));
    }
    for (const { record, isDeleted } of put) {
      const [into, other] = isDeleted ? [this.#deleted, this.#added] : [this.#added, this.#deleted];
      other.delete(identity(record));
      into.set(identity(record), record);
    }
  }
}

function identity({
  owner,
  type,
  data,
}: {
  readonly owner: NameKey;
  readonly type: number;
  readonly data: string;
}): string {
  return `${owner}${type} ${data}`;
}
