import { isWithin, type NameKey } from '../../wire/dns/name.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { CLASS_ANY, CLASS_IN, CLASS_NONE, TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import type { UpdateRecord } from '../../wire/dns/update.ts';
import { isLater, serialOf } from '../../zones/zone-change.ts';
import { sameData } from './same-data.ts';
import type { UpdateDraft } from './update-draft.ts';

/** Types that are questions and no data: RFC 6895 §3.1 keeps 128 to 255 for them; 0 is reserved. */
const FIRST_META = 128;
const LAST_META = 255;
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
      return !isMeta;
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
  const record: ResourceRecord = { owner, type, ttl, data };
  const present = draft.recordsOf(owner);
  if (type === TYPE.SOA) return addSoa(record, present, draft);
  if (!mayStandBeside(type, present)) return;
  const [same, others] = [present.filter((one) => one.type === type), present.filter((one) => one.type !== type)];
  // There is one CNAME at most: the new one takes its place (§3.4.2.2)
  const kept = type === TYPE.CNAME || type === TYPE.DNAME ? [] : same.filter((one) => !sameData(one, record));
  // RFC 2181 §5.2: the records of a set have one TTL
  draft.set(owner, [...others, ...kept.map((one) => (one.ttl === ttl ? one : { ...one, ttl })), record]);
}

/** It is replaced by a later one, and never comes to be anywhere else (§3.4.2.2). */
function addSoa(record: ResourceRecord, present: readonly ResourceRecord[], draft: UpdateDraft): void {
  const before = present.find(({ type }) => type === TYPE.SOA);
  if (!before || !isLater(serialOf(record), serialOf(before))) return;
  draft.set(record.owner, [...present.filter((one) => one !== before), record]);
}

/** A CNAME is added to no other data, other data to no CNAME: such an update is passed over in silence (§3.4.2.2). */
function mayStandBeside(type: number, present: readonly ResourceRecord[]): boolean {
  if (BESIDE_CNAME.has(type)) return true;
  const counts = present.filter((one) => !BESIDE_CNAME.has(one.type));
  return type === TYPE.CNAME
    ? counts.every((one) => one.type === TYPE.CNAME)
    : counts.every((one) => one.type !== TYPE.CNAME);
}

/** Deletes a set, or all sets of a name; those that make the zone a zone stay (§3.4.2.3). */
function deleteSets({ owner, type }: UpdateRecord, draft: UpdateDraft): void {
  const present = draft.recordsOf(owner);
  const left = present.filter(
    (one) => (owner === draft.origin && isOfApex(one.type)) || (type !== TYPE.ANY && one.type !== type),
  );
  if (left.length < present.length) draft.set(owner, left);
}

/** Deletes one record, but never the SOA, nor the zone's last NS (§3.4.2.4). */
function deleteOne(record: UpdateRecord, draft: UpdateDraft): void {
  const { owner, type } = record;
  if (type === TYPE.SOA) return;
  const present = draft.recordsOf(owner);
  const left = present.filter((one) => !sameData(one, record));
  const isLastNs = owner === draft.origin && type === TYPE.NS && !left.some((one) => one.type === TYPE.NS);
  if (left.length < present.length && !isLastNs) draft.set(owner, left);
}

function isOfApex(type: number): boolean {
  return type === TYPE.SOA || type === TYPE.NS;
}
