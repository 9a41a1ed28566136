import { isWithin, type NameKey } from '../../wire/dns/name.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { CLASS_ANY, CLASS_IN, CLASS_NONE, TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import type { UpdateRecord } from '../../wire/dns/update.ts';
import { isLater, serialOf } from '../../zones/zone-change.ts';
import type { DraftSet } from './draft-set.ts';
import type { UpdateDraft } from './update-draft.ts';

/** Types that are questions and no data: RFC 6895 §3.1 keeps 128 to 255 for them; 0 is reserved. */
const FIRST_META = 128;
const LAST_META = 255;
/** RFC 2181 §8 */
const LONGEST_TTL = 2 ** 31 - 1;
/** Beside a CNAME only what signs it may be (RFC 2136 §3.4.2.2, RFC 4034 §3). */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.RRSIG, TYPE.NSEC]);

/** Throws WireError for data that are not such of their type. */
export type DataCheck = (type: number, data: string) => void;

/** Looks at all records before any is carried out, so that an update is done whole or not at all (RFC 2136 §3.4.1). Returns the rcode. */
export function prescan(updates: readonly UpdateRecord[], origin: NameKey, check: DataCheck): number {
  for (const record of updates) {
    if (!isWithin(record.owner, origin)) return RCODE.NOTZONE;
    if (!isWellFormed(record)) return RCODE.FORMERR;
    // May throw; what is deleted is compared, and need not be good
    if (record.class === CLASS_IN) check(record.type, record.data);
  }
  return RCODE.NOERROR;
}

function isWellFormed({ class: what, type, ttl, data }: UpdateRecord): boolean {
  const isMeta = (type >= FIRST_META && type <= LAST_META) || type === 0 || type === TYPE.OPT;
  switch (what) {
    case CLASS_IN:
      return !isMeta && ttl <= LONGEST_TTL;
    case CLASS_ANY:
      return ttl === 0 && data === '' && (!isMeta || type === TYPE.ANY);
    case CLASS_NONE:
      return ttl === 0 && !isMeta;
    default:
      return false;
  }
}

/** Carries out updates that passed the prescan, one after the other (RFC 2136 §3.4.2). */
export function applyUpdates(updates: readonly UpdateRecord[], draft: UpdateDraft): void {
  for (const record of updates) {
    switch (record.class) {
      case CLASS_IN:
        add(record, draft);
        break;
      case CLASS_ANY:
        deleteSets(record, draft);
        break;
      default:
        deleteOne(record, draft);
    }
  }
}

function add({ owner, type, ttl, data }: UpdateRecord, draft: UpdateDraft): void {
  if (type === TYPE.SOA) return addSoa({ owner, type, ttl, data }, draft);
  if (!mayStandBeside(type, draft.setsOf(owner))) return;
  const set = draft.set(owner, type);
  // There is one CNAME at most: the new one takes its place (§3.4.2.2)
  if (type === TYPE.CNAME || type === TYPE.DNAME) set.clear();
  set.add(ttl, data);
}

/** It is replaced by a later one, and never comes to be anywhere else (§3.4.2.2). */
function addSoa(record: ResourceRecord, draft: UpdateDraft): void {
  const set = draft.setsOf(record.owner).get(TYPE.SOA);
  const before = set?.first;
  if (!set || before === undefined || !isLater(serialOf(record), serialOf({ data: before }))) return;
  set.clear();
  set.add(record.ttl, record.data);
}

/** A CNAME is added to no other data, other data to no CNAME: such an update is passed over in silence (§3.4.2.2). */
function mayStandBeside(type: number, present: ReadonlyMap<number, DraftSet>): boolean {
  if (BESIDE_CNAME.has(type)) return true;
  if (type !== TYPE.CNAME) return isEmpty(present.get(TYPE.CNAME));
  return present.values().every((set) => set.type === TYPE.CNAME || BESIDE_CNAME.has(set.type) || isEmpty(set));
}

function isEmpty(set: DraftSet | undefined): boolean {
  return set === undefined || set.size === 0;
}

/** Deletes a set, or all sets of a name; those that make the zone a zone stay (§3.4.2.3). */
function deleteSets({ owner, type }: UpdateRecord, draft: UpdateDraft): void {
  const present = draft.setsOf(owner);
  const gone = type === TYPE.ANY ? present.values() : present.values().filter((set) => set.type === type);
  for (const set of gone) if (owner !== draft.origin || !isOfApex(set.type)) set.clear();
}

/** Deletes one record, but never the SOA, nor the zone's last NS (§3.4.2.4). */
function deleteOne({ owner, type, data }: UpdateRecord, draft: UpdateDraft): void {
  const set = draft.setsOf(owner).get(type);
  if (!set || type === TYPE.SOA) return;
  const isLastNs = owner === draft.origin && type === TYPE.NS && set.size === 1;
  if (!isLastNs) set.delete(data);
}

function isOfApex(type: number): boolean {
  return type === TYPE.SOA || type === TYPE.NS;
}
