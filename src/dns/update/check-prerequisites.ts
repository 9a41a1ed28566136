import { isWithin, type NameKey } from '../../wire/dns/name.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { recordsOf, type RecordSet } from '../../wire/dns/record-set.ts';
import { CLASS_ANY, CLASS_IN, CLASS_NONE, TYPE } from '../../wire/dns/record-type.ts';
import type { UpdateRecord } from '../../wire/dns/update.ts';
import { comparableData } from './comparable-data.ts';
import type { UpdatableZone } from './update-draft.ts';

/** The rcode of the first prerequisite that does not hold; NOERROR when all do (RFC 2136 §3.2). */
export function checkPrerequisites(prerequisites: readonly UpdateRecord[], zone: UpdatableZone): number {
  const wholeSets = new Map<string, UpdateRecord[]>();
  for (const record of prerequisites) {
    if (record.ttl !== 0) return RCODE.FORMERR;
    if (!isWithin(record.owner, zone.origin)) return RCODE.NOTZONE;
    const rcode = record.class === CLASS_IN ? gather(record, wholeSets) : checkOne(record, zone);
    if (rcode !== RCODE.NOERROR) return rcode;
  }
  for (const wanted of wholeSets.values()) if (!isWholeSet(wanted, zone)) return RCODE.NXRRSET;
  return RCODE.NOERROR;
}

/** Records of the zone's class are one set that must be there as it is, to be compared when all of it is known (§3.2.3). */
function gather(record: UpdateRecord, sets: Map<string, UpdateRecord[]>): number {
  const key = `${record.owner}${record.type}`;
  const set = sets.get(key) ?? [];
  set.push(record);
  sets.set(key, set);
  return RCODE.NOERROR;
}

function checkOne(record: UpdateRecord, zone: UpdatableZone): number {
  const { owner, type, data } = record;
  if (data !== '') return RCODE.FORMERR;
  switch (record.class) {
    case CLASS_ANY:
      // §2.4.4 the name is in use, §2.4.1 the set exists
      if (type === TYPE.ANY) return isInUse(owner, zone) ? RCODE.NOERROR : RCODE.NXDOMAIN;
      return hasSet(owner, type, zone) ? RCODE.NOERROR : RCODE.NXRRSET;
    case CLASS_NONE:
      // §2.4.5 the name is not in use, §2.4.3 the set does not exist
      if (type === TYPE.ANY) return isInUse(owner, zone) ? RCODE.YXDOMAIN : RCODE.NOERROR;
      return hasSet(owner, type, zone) ? RCODE.YXRRSET : RCODE.NOERROR;
    default:
      return RCODE.FORMERR;
  }
}

function isInUse(name: NameKey, zone: UpdatableZone): boolean {
  return zone.setsOf(name).length > 0;
}

function hasSet(name: NameKey, type: number, zone: UpdatableZone): boolean {
  return setOf(name, type, zone) !== undefined;
}

function setOf(name: NameKey, type: number, zone: UpdatableZone): RecordSet | undefined {
  return zone.setsOf(name).find((set) => set.type === type);
}

function isWholeSet(wanted: readonly UpdateRecord[], zone: UpdatableZone): boolean {
  const [first] = wanted;
  if (!first) return true;
  const set = setOf(first.owner, first.type, zone);
  // The same record twice is one (§3.2.3 compares sets)
  const distinct = new Set(wanted.map(({ type, data }) => comparableData(type, data)));
  if (!set || distinct.size !== set.count) return false;
  return recordsOf(first.owner, set).every(({ type, data }) => distinct.has(comparableData(type, data)));
}
