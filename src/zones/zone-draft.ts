import { parentKey, type NameKey } from '../wire/dns/name.ts';
import { comparableRdata } from '../wire/dns/rdata/rdata.ts';
import { RECORD_HEAD } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

/** Where something was written. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The records of one type at one name. */
export interface DraftSet {
  readonly type: number;
  /** Seconds: the lowest that was written (RFC 2181 §5.2). */
  ttl: number;
  readonly records: DraftRecord[];
  /** As they are compiled. */
  octets: number;
  /** What says the same is the same text; made with the second record. */
  known?: Set<string>;
}

interface DraftRecord {
  readonly data: string;
  readonly place: Place;
}

/** How a record went in: as a new one, as one more of the same, or beside others that had another TTL. */
export type Added = 'new' | 'again' | 'other-ttl';

/** What has been read of a zone: names with their sets, in the order of the file. */
export class ZoneDraft {
  readonly origin: NameKey;
  readonly #names = new Map<NameKey, DraftSet[]>();
  #count = 0;

  constructor(origin: NameKey) {
    this.origin = origin;
  }

  get count(): number {
    return this.#count;
  }

  get names(): ReadonlyMap<NameKey, readonly DraftSet[]> {
    return this.#names;
  }

  add({ owner, type, ttl, data }: ResourceRecord, place: Place): Added {
    const sets = this.#names.get(owner) ?? [];
    if (sets.length === 0) this.#names.set(owner, sets);
    const set = sets.find((each) => each.type === type);
    if (!set) {
      sets.push({ type, ttl, records: [{ data, place }], octets: RECORD_HEAD + data.length });
      this.#count++;
      return 'new';
    }
    const isOther = set.ttl !== ttl;
    set.ttl = Math.min(set.ttl, ttl);
    // RFC 2181 §5: a set holds each record once
    if (!holds(set, data)) {
      set.records.push({ data, place });
      set.octets += RECORD_HEAD + data.length;
      this.#count++;
    } else if (!isOther) return 'again';
    return isOther ? 'other-ttl' : 'new';
  }

  find(name: NameKey, type: number): DraftSet | undefined {
    return this.#names.get(name)?.find((set) => set.type === type);
  }

  countTypes(name: NameKey): number {
    return this.#names.get(name)?.length ?? 0;
  }

  /** Whether the name is the origin or below it. */
  contains(name: NameKey): boolean {
    return isWithin(name, this.origin);
  }

  /** The SOA first, and the records of a set together. */
  *records(): Generator<ResourceRecord> {
    const apex = this.#names.get(this.origin) ?? [];
    yield* flatten(
      this.origin,
      apex.toSorted((a, b) => Number(b.type === TYPE.SOA) - Number(a.type === TYPE.SOA)),
    );
    for (const [owner, sets] of this.#names) if (owner !== this.origin) yield* flatten(owner, sets);
  }
}

function* flatten(owner: NameKey, sets: readonly DraftSet[]): Generator<ResourceRecord> {
  for (const { type, ttl, records } of sets) for (const { data } of records) yield { owner, type, ttl, data };
}

function holds(set: DraftSet, data: string): boolean {
  set.known ??= new Set(set.records.map((record) => comparableRdata(set.type, record.data)));
  const { size } = set.known;
  return set.known.add(comparableRdata(set.type, data)).size === size;
}

/** Whether `name` is `origin` or ends in it, at a label. */
function isWithin(name: NameKey, origin: NameKey): boolean {
  if (!name.endsWith(origin)) return false;
  let rest: NameKey | undefined = name;
  while (rest !== undefined && rest.length > origin.length) rest = parentKey(rest);
  return rest === origin;
}
