import { hashKey, type NamePath } from '../wire/dns/name-path.ts';
import { parentKey, type NameKey } from '../wire/dns/name.ts';
import { minimumOf, recordsOf, serialOf, ttlOf, withSerial, withTtl, type RecordSet } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import { NameTable, type Named } from './name-table.ts';
import { ZoneSnapshot } from './zone-snapshot.ts';

/** `rack`: made of the Plan and its leases; `file`: of a master file, and of updates where they are allowed. */
export type ZoneKind = 'rack' | 'file';

/** A name of the zone. One without sets is an empty non-terminal: it exists because names below it do (RFC 8020 §2). */
export interface ZoneNode extends Named<ZoneNode> {
  readonly parent: ZoneNode | undefined;
  sets: readonly RecordSet[];
  /** Names one label below. */
  children: number;
  /** What is below it is not here: it is delegated, or has its names elsewhere by a DNAME. */
  cut: boolean;
  dname: boolean;
}

const NO_SETS: readonly RecordSet[] = [];

/** A zone this rack answers for: names with compiled records, changed one record set at a time. */
export class Zone {
  readonly origin: NameKey;
  readonly kind: ZoneKind;
  readonly apex: ZoneNode;
  readonly #nodes = new NameTable<ZoneNode>();
  /** What the sets that changed since `publish` were then: owner → type → set, undefined where there was none. */
  readonly #before = new Map<NameKey, Map<number, RecordSet | undefined>>();
  #soa: RecordSet;
  #negative: RecordSet;
  /** The SOA of the last `publish`. */
  #published: RecordSet | undefined;
  #touched: Set<NameKey> | undefined;
  #redirects = 0;
  #wildcards = 0;
  #owners = 1;
  #records = 1;

  /** `soa`: a compiled set of one SOA. */
  constructor(origin: NameKey, soa: RecordSet, kind: ZoneKind = 'rack') {
    this.origin = origin;
    this.kind = kind;
    this.#soa = soa;
    this.#negative = negativeOf(soa);
    this.apex = nodeOf(origin, undefined);
    this.apex.sets = [soa];
    this.#nodes.add(this.apex);
  }

  get serial(): number {
    return serialOf(this.#soa);
  }

  get soa(): RecordSet {
    return this.#soa;
  }

  /** The SOA with the TTL of a negative answer: the lesser of its own and its MINIMUM (RFC 2308 §5). */
  get negative(): RecordSet {
    return this.#negative;
  }

  /** Whether it has delegations or DNAMEs: without them no name is hidden behind another. */
  get hasRedirects(): boolean {
    return this.#redirects > 0;
  }

  get hasWildcards(): boolean {
    return this.#wildcards > 0;
  }

  /** Names, empty non-terminals included. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Names with records. */
  get owners(): number {
    return this.#owners;
  }

  get records(): number {
    return this.#records;
  }

  /** The record sets of a name; empty for an empty non-terminal, undefined when there is no such name. */
  find(key: NameKey): readonly RecordSet[] | undefined {
    return this.#nodes.get(key)?.sets;
  }

  /** The node of the name without its first `label` labels. */
  node(path: NamePath, label: number): ZoneNode | undefined {
    return this.#nodes.find(path, label);
  }

  /** The node of a name by its key. */
  nodeAt(key: NameKey): ZoneNode | undefined {
    return this.#nodes.get(key);
  }

  /** The source of synthesis for names below `encloser` (RFC 4592 §3.3.1). */
  wildcard(encloser: ZoneNode): ZoneNode | undefined {
    return this.#nodes.findWildcard(encloser);
  }

  /** Every name with what is there, in no order. */
  *names(): Generator<readonly [NameKey, { readonly sets: readonly RecordSet[] }]> {
    for (const node of this.#nodes.all()) yield [node.key, node];
  }

  /**
   * The content as it is now; it stays so whatever becomes of the zone. The origin stands first, and first of its sets the SOA.
   */
  snapshot(): ZoneSnapshot {
    const snapshot = new ZoneSnapshot();
    snapshot.add(this.origin, this.apex.sets);
    for (const node of this.#nodes.all()) {
      if (node.sets.length > 0 && node !== this.apex) snapshot.add(node.key, node.sets);
    }
    return snapshot;
  }

  /** Puts a set in the place of the one of its type; `key` must be in this zone. An SOA is taken at the origin only. */
  put(key: NameKey, set: RecordSet): void {
    if (set.type === TYPE.SOA && key !== this.origin) throw new RangeError('an SOA is at the origin of its zone');
    const node = this.#node(key);
    const index = node.sets.findIndex(({ type }) => type === set.type);
    this.#touched?.add(key);
    this.#remember(node, set.type, node.sets[index]);
    // The SOA stays first
    this.#setSets(node, index < 0 ? [...node.sets, set] : node.sets.with(index, set));
    if (set.type === TYPE.SOA) this.#takeSoa(set);
  }

  /** Takes the set of a type away, and the names that exist no more without it. The SOA stays. */
  remove(key: NameKey, type: number): void {
    const node = this.#nodes.get(key);
    const gone = node?.sets.find((set) => set.type === type);
    if (!node || !gone || type === TYPE.SOA) return;
    this.#touched?.add(key);
    this.#remember(node, type, gone);
    const left = node.sets.filter((set) => set !== gone);
    this.#setSets(node, left.length === 0 ? NO_SETS : left);
    this.#prune(node);
  }

  /** From now on the owners of what changes go into `touched`; into nothing when that is undefined. */
  watch(touched: Set<NameKey> | undefined): void {
    this.#touched = touched;
  }

  /**
   * Stamps a new serial when anything changed since the last time, and tells what did; undefined the first time, when
   * there was nothing before, and when nothing changed.
   */
  publish(nextSerial: (serial: number) => number): ZoneChange | undefined {
    const before = this.#published;
    const { removed, added } = this.#differences();
    this.#before.clear();
    if (before && removed.length + added.length === 0 && this.#soa.wire === before.wire) return undefined;
    this.#stamp(nextSerial(this.serial));
    return before && this.#changeFrom(before, removed, added);
  }

  /**
   * Publishes this zone for the first time in the place of one that was published with `before` as its SOA, of whose content
   * it differs by `removed` and `added`.
   */
  publishAfter(
    before: RecordSet,
    differences: Pick<ZoneChange, 'removed' | 'added'>,
    nextSerial: (serial: number) => number,
  ): ZoneChange {
    this.#before.clear();
    this.#stamp(nextSerial(this.serial));
    return this.#changeFrom(before, differences.removed, differences.added);
  }

  /** Publishes this zone for the first time, as it is: its content was published before with this very SOA. */
  publishAs(soa: RecordSet): void {
    this.#before.clear();
    this.#takeSoa(soa);
    this.apex.sets = this.apex.sets.with(0, soa);
    this.#published = soa;
  }

  #changeFrom(before: RecordSet, removed: readonly ResourceRecord[], added: readonly ResourceRecord[]): ZoneChange {
    const [from, to] = [recordsOf(this.origin, before)[0], recordsOf(this.origin, this.#soa)[0]];
    if (!from || !to) throw new RangeError('an SOA without a record');
    return { origin: this.origin, from, to, removed, added };
  }

  #stamp(serial: number): void {
    const soa = withSerial(this.#soa, serial);
    this.#takeSoa(soa);
    this.apex.sets = this.apex.sets.with(0, soa);
    this.#published = soa;
  }

  #takeSoa(soa: RecordSet): void {
    this.#soa = soa;
    this.#negative = negativeOf(soa);
  }

  /** Keeps what a set was at the last `publish`. Before the first one there is nothing to tell the difference from. */
  #remember(node: ZoneNode, type: number, set: RecordSet | undefined): void {
    if (!this.#published || type === TYPE.SOA) return;
    const ofOne = this.#before.get(node.key) ?? new Map<number, RecordSet | undefined>();
    if (ofOne.size === 0) this.#before.set(node.key, ofOne);
    if (!ofOne.has(type)) ofOne.set(type, set);
  }

  #differences(): { readonly removed: ResourceRecord[]; readonly added: ResourceRecord[] } {
    const [removed, added]: [ResourceRecord[], ResourceRecord[]] = [[], []];
    for (const [key, types] of this.#before) {
      const sets = this.find(key);
      for (const [type, before] of types) {
        const after = sets?.find((set) => set.type === type);
        addDifference(key, before, after, { removed, added });
      }
    }
    return { removed, added };
  }

  #setSets(node: ZoneNode, sets: readonly RecordSet[]): void {
    this.#owners += Number(sets.length > 0) - Number(node.sets.length > 0);
    this.#records += countRecords(sets) - countRecords(node.sets);
    node.sets = sets;
    this.#redirects -= Number(node.cut) + Number(node.dname);
    // RFC 4592 §4.2: what NS at a wildcard would delegate is not defined
    node.cut = node !== this.apex && !isWildcard(node.key) && hasType(sets, TYPE.NS);
    node.dname = hasType(sets, TYPE.DNAME);
    this.#redirects += Number(node.cut) + Number(node.dname);
  }

  /** The node of a name, made with its ancestors up to the origin where absent. */
  #node(key: NameKey): ZoneNode {
    const existing = this.#nodes.get(key);
    if (existing) return existing;
    const above = parentKey(key);
    if (above === undefined || key.length <= this.origin.length) throw new RangeError('the name is outside the zone');
    const parent = this.#node(above);
    parent.children++;
    const node = nodeOf(key, parent);
    this.#nodes.add(node);
    if (isWildcard(key)) this.#wildcards++;
    return node;
  }

  #prune(node: ZoneNode): void {
    const { parent } = node;
    if (node.sets.length > 0 || node.children > 0 || !parent) return;
    this.#nodes.delete(node);
    if (isWildcard(node.key)) this.#wildcards--;
    parent.children--;
    this.#prune(parent);
  }
}

/** Adds to the lists the records that are in only one of two sets of one owner and type. */
export function addDifference(
  owner: NameKey,
  before: RecordSet | undefined,
  after: RecordSet | undefined,
  into: { readonly removed: ResourceRecord[]; readonly added: ResourceRecord[] },
): void {
  if (before?.wire === after?.wire) return;
  const [old, now] = [before ? recordsOf(owner, before) : [], after ? recordsOf(owner, after) : []];
  addMissing(old, now, into.removed);
  addMissing(now, old, into.added);
}

/** Adds to a list the records that are not among others of the same owner and type. */
function addMissing(
  records: readonly ResourceRecord[],
  others: readonly ResourceRecord[],
  into: ResourceRecord[],
): void {
  const known = new Set(others.map(contentOf));
  for (const record of records) if (!known.has(contentOf(record))) into.push(record);
}

function contentOf({ ttl, data }: ResourceRecord): string {
  return `${ttl} ${data}`;
}

function nodeOf(key: NameKey, parent: ZoneNode | undefined): ZoneNode {
  const hash = hashKey(key);
  return { key, hash, next: undefined, index: 0, parent, sets: NO_SETS, children: 0, cut: false, dname: false };
}

function negativeOf(soa: RecordSet): RecordSet {
  return withTtl(soa, Math.min(ttlOf(soa), minimumOf(soa)));
}

function countRecords(sets: readonly RecordSet[]): number {
  let records = 0;
  for (const { count } of sets) records += count;
  return records;
}

function hasType(sets: readonly RecordSet[], wanted: number): boolean {
  return sets.some(({ type }) => type === wanted);
}

function isWildcard(key: NameKey): boolean {
  return key.startsWith('\u0001*');
}
