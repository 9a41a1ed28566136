import type { NameKey } from '../wire/dns/name.ts';
import type { ZoneChange } from './zone-change.ts';
import { recordsOf, toColumns, type ZoneColumns } from './zone-columns.ts';

/** A change as it crosses from thread to thread: what goes, behind the SOA before, and what comes, behind the SOA after. */
export interface ChangeColumns {
  readonly origin: NameKey;
  readonly removed: ZoneColumns;
  readonly added: ZoneColumns;
}

export function toChangeColumns({ origin, from, to, removed, added }: ZoneChange): ChangeColumns {
  return { origin, removed: toColumns(origin, [from, ...removed]), added: toColumns(origin, [to, ...added]) };
}

export function fromChangeColumns(columns: ChangeColumns): ZoneChange {
  const [[from, ...removed], [to, ...added]] = [[...recordsOf(columns.removed)], [...recordsOf(columns.added)]];
  if (!from || !to) throw new RangeError('a change without an SOA');
  return { origin: columns.origin, from, to, removed, added };
}
