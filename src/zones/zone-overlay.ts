import type { NameKey } from '../wire/dns/name.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { OverlayChange } from './zone-journal.ts';
import type { Overlay } from './zone-store.ts';

/** Beside a CNAME only what signs it may be (RFC 4034 §2.5, §3): RRSIG, NSEC, KEY. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.RRSIG, TYPE.NSEC, 25]);

/**
 * What updates did to a zone, beside what its file says: the zone is (file − deleted) ∪ added, whatever becomes of the file.
 * TTLs do not tell records apart; an SOA that was added stands in the place of the file's.
 */
export class ZoneOverlay {
  readonly #added = new Map<string, ResourceRecord>();
  readonly #deleted = new Map<string, ResourceRecord>();
  /** What the file has. */
  #file = new Set<string>();
  #overruled: readonly ResourceRecord[] = [];

  constructor({ added, deleted }: Overlay = { added: [], deleted: [] }) {
    for (const record of added) this.#added.set(identity(record), record);
    for (const record of deleted) this.#deleted.set(identity(record), record);
  }

  get added(): Iterable<ResourceRecord> {
    return this.#added.values();
  }

  get deleted(): Iterable<ResourceRecord> {
    return this.#deleted.values();
  }

  get size(): number {
    return this.#added.size + this.#deleted.size;
  }

  /** Whether a record is there because the file has it, and not because an update added it. */
  isOfFile(record: ResourceRecord): boolean {
    const name = identity(record);
    return this.#file.has(name) && !this.#added.has(name);
  }

  /**
   * The zone's records, by those of its file, which are remembered; the SOA is the first of them. Where the file came to say
   * something that what updates did can't stand beside, the file counts: no secondary would take the zone.
   */
  *over(file: Iterable<ResourceRecord>): Generator<ResourceRecord> {
    this.#file = new Set();
    const hasSoa = this.#added.values().some(({ type }) => type === TYPE.SOA);
    const clashes = new Clashes(this.#added.values());
    const servers = new ApexServers();
    for (const record of file) {
      const name = identity(record);
      this.#file.add(name);
      servers.see(record, this.#deleted.has(name));
      if (this.#added.has(name) || this.#deleted.has(name) || (hasSoa && record.type === TYPE.SOA)) continue;
      clashes.see(record);
      yield record;
    }
    const stay = servers.mustStay(this.#added.values());
    const overruled = [...stay];
    this.#overruled = overruled;
    yield* stay;
    for (const record of this.#added.values()) {
      if (clashes.has(record)) overruled.push(record);
      else yield record;
    }
  }

  /** What updates did and the file does not let be, as it says now. */
  get overruled(): readonly ResourceRecord[] {
    return this.#overruled;
  }

  /**
   * What must be put down for an update that takes `removed` away and adds `added`; nothing is changed yet. `isGone`: whether
   * it deletes a record, be it there or not: one that the file overrules must not come back when it does no more.
   */
  plan(
    removed: readonly ResourceRecord[],
    added: readonly ResourceRecord[],
    isGone: (record: ResourceRecord) => boolean = () => false,
  ): OverlayChange {
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
    return { put, dropped: [...dropped, ...oldSoas, ...this.#settled(added, isGone)] };
  }

  /** What was overruled at names that updates add to now, or what they delete of it: it must not come back. */
  #settled(added: readonly ResourceRecord[], isGone: (record: ResourceRecord) => boolean): readonly ResourceRecord[] {
    if (this.#overruled.length === 0) return [];
    const owners = new Set(added.map(({ owner }) => owner));
    return this.#overruled.filter(
      (record) => owners.has(record.owner) || (this.#added.has(identity(record)) && isGone(record)),
    );
  }

  apply({ put, dropped }: OverlayChange): void {
    if (this.#overruled.length > 0) {
      const gone = new Set(dropped.map(identity));
      this.#overruled = this.#overruled.filter((record) => !gone.has(identity(record)));
    }
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

/** Tells which records that updates added the file has no place for beside its own (RFC 1034 §3.6.2, RFC 6672 §2.4). */
class Clashes {
  /** Names that updates gave a CNAME, and those of them where the file has something else. */
  readonly #aliases: ReadonlySet<NameKey>;
  readonly #taken = new Set<NameKey>();
  /** The file's own. */
  readonly #cnames = new Set<NameKey>();
  readonly #dnames = new Set<NameKey>();

  constructor(added: IteratorObject<ResourceRecord>) {
    this.#aliases = new Set(added.filter(({ type }) => type === TYPE.CNAME).map(({ owner }) => owner));
  }

  /** A record of the file that stays. */
  see({ owner, type }: ResourceRecord): void {
    if (BESIDE_CNAME.has(type)) return;
    if (this.#aliases.has(owner)) this.#taken.add(owner);
    if (type === TYPE.CNAME) this.#cnames.add(owner);
    if (type === TYPE.DNAME) this.#dnames.add(owner);
  }

  has({ owner, type }: ResourceRecord): boolean {
    if (BESIDE_CNAME.has(type)) return false;
    if (type === TYPE.CNAME) return this.#taken.has(owner);
    return this.#cnames.has(owner) || (type === TYPE.DNAME && this.#dnames.has(owner));
  }
}

/** Watches over the servers of the zone: updates that deleted all that the file has by now delete none of them. */
class ApexServers {
  readonly #deleted: ResourceRecord[] = [];
  #origin: NameKey | undefined;
  #isServed = false;

  /** A record of the file. */
  see(record: ResourceRecord, isDeleted: boolean): void {
    if (record.type === TYPE.SOA) this.#origin = record.owner;
    if (record.type !== TYPE.NS || record.owner !== this.#origin) return;
    if (isDeleted) this.#deleted.push(record);
    else this.#isServed = true;
  }

  /** The deleted ones that stay, when the file was seen whole. */
  mustStay(added: IteratorObject<ResourceRecord>): readonly ResourceRecord[] {
    if (this.#isServed || this.#deleted.length === 0) return [];
    return added.some(({ owner, type }) => type === TYPE.NS && owner === this.#origin) ? [] : this.#deleted;
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
