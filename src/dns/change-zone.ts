import type { NameKey } from '../wire/dns/name.ts';
import { compileSet, recordsOf } from '../wire/dns/record-set.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { serialOf, type ZoneChange } from '../zones/zone-change.ts';
import type { Zone } from './zone.ts';

/** The records of one owner and type, and what becomes of them. */
interface Draft {
  readonly owner: NameKey;
  readonly type: number;
  readonly records: Map<string, ResourceRecord>;
}

/** Makes a zone what it is after a change. False where it is not what the change begins with; then nothing was changed. */
export function changeZone(zone: Zone, { from, to, removed, added }: ZoneChange): boolean {
  if (zone.serial !== serialOf(from)) return false;
  const drafts = new Map<string, Draft>();
  for (const record of removed) if (!draftOf(zone, record, drafts).records.delete(contentOf(record))) return false;
  for (const record of added) draftOf(zone, record, drafts).records.set(contentOf(record), record);
  // What comes before what goes: a name that stays is at no time gone, nor are those above it
  for (const { owner, records } of drafts.values()) {
    const [first, ...rest] = records.values();
    if (first) zone.put(owner, compileSet(first, rest));
  }
  for (const { owner, type, records } of drafts.values()) if (records.size === 0) zone.remove(owner, type);
  zone.put(zone.origin, compileSet(to));
  return true;
}

function draftOf(zone: Zone, { owner, type }: ResourceRecord, drafts: Map<string, Draft>): Draft {
  const name = `${type} ${owner}`;
  const known = drafts.get(name);
  if (known) return known;
  const set = zone.find(owner)?.find((each) => each.type === type);
  const records = set ? recordsOf(owner, set) : [];
  const draft = { owner, type, records: new Map(records.map((record) => [contentOf(record), record])) };
  drafts.set(name, draft);
  return draft;
}

/** Of one set a record is told by this. */
function contentOf({ ttl, data }: ResourceRecord): string {
  return `${ttl} ${data}`;
}
