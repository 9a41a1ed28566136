import { recordsOf } from '../wire/dns/record-set.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { Slices } from './slices.ts';
import type { ZoneSnapshot } from './zone-snapshot.ts';

/** Names between two pauses: some 100 µs. */
const STRIDE = 128;

/** All records of a snapshot in its order, the SOA first. */
export function* recordsIn(snapshot: ZoneSnapshot): Slices<ResourceRecord[]> {
  const records: ResourceRecord[] = [];
  let names = 0;
  for (const [owner, sets] of snapshot) {
    for (const set of sets) records.push(...recordsOf(owner, set));
    if (++names % STRIDE === 0) yield;
  }
  return records;
}
