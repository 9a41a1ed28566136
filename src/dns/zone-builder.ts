import type { NameKey } from '../wire/dns/name.ts';
import { compileSet } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import type { Slices } from './slices.ts';
import { addDifference, Zone, type ZoneKind } from './zone.ts';

/** Records or names between two pauses: some 100 µs. */
const STRIDE = 128;

/**
 * Makes a zone of its records, which come in any order. They were checked: one SOA at the origin, none outside of it.
 * Throws RangeError for what was not.
 */
export function* buildZone(origin: NameKey, records: Iterable<ResourceRecord>, kind: ZoneKind): Slices<Zone> {
  const groups = yield* groupRecords(records);
  const soa = groups.get(origin)?.get(TYPE.SOA)?.[0];
  if (!soa) throw new RangeError('a zone without an SOA at its origin');
  const zone = new Zone(origin, compileSet(soa), kind);
  let count = 0;
  for (const [owner, types] of groups) {
    for (const [type, [first, ...rest]] of types) {
      if (first && !(type === TYPE.SOA && owner === origin)) zone.put(owner, compileSet(first, rest));
      if (++count % STRIDE === 0) yield;
    }
  }
  return zone;
}

function* groupRecords(
  records: Iterable<ResourceRecord>,
): Slices<ReadonlyMap<NameKey, ReadonlyMap<number, readonly ResourceRecord[]>>> {
  const groups = new Map<NameKey, Map<number, ResourceRecord[]>>();
  let count = 0;
  for (const record of records) {
    const types = groups.get(record.owner) ?? new Map<number, ResourceRecord[]>();
    if (types.size === 0) groups.set(record.owner, types);
    const group = types.get(record.type);
    if (group) group.push(record);
    else types.set(record.type, [record]);
    if (++count % STRIDE === 0) yield;
  }
  return groups;
}

type Differences = Pick<ZoneChange, 'removed' | 'added'>;

/**
 * How the content of a zone differs from that of the one it is to replace, SOA aside. Both may change until it is told, and
 * what is told is how they differ at that moment.
 */
export function* compareZones(before: Zone, after: Zone): Slices<Differences> {
  const owners = new Set<NameKey>();
  before.watch(owners);
  after.watch(owners);
  let count = 0;
  for (const [key] of before.snapshot()) {
    if (differs(key, before, after)) owners.add(key);
    if (++count % STRIDE === 0) yield;
  }
  for (const [key] of after.snapshot()) {
    if (!before.find(key)) owners.add(key);
    if (++count % STRIDE === 0) yield;
  }
  before.watch(undefined);
  after.watch(undefined);
  return differencesAt(owners, before, after);
}

function differs(key: NameKey, before: Zone, after: Zone): boolean {
  const [old, now] = [before.find(key) ?? [], after.find(key) ?? []];
  return old.length !== now.length || !old.every((set) => now.some(({ wire }) => wire === set.wire));
}

function differencesAt(owners: ReadonlySet<NameKey>, before: Zone, after: Zone): Pick<ZoneChange, 'removed' | 'added'> {
  const differences = { removed: [] as ResourceRecord[], added: [] as ResourceRecord[] };
  for (const owner of owners) {
    const [old, now] = [before.find(owner) ?? [], after.find(owner) ?? []];
    for (const type of new Set([...old, ...now].map((set) => set.type))) {
      if (type === TYPE.SOA && owner === before.origin) continue;
      const [was, is] = [old, now].map((sets) => sets.find((set) => set.type === type));
      addDifference(owner, was, is, differences);
    }
  }
  return differences;
}
