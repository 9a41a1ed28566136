import { nameText } from '../wire/dns/rdata/domain-name.ts';
import { formatRdata } from '../wire/dns/rdata/rdata.ts';
import { typeName } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

/**
 * Records as a master file that every server reads: one on each line, whole by itself, with absolute names. Types and
 * classes that a server may not know have their generic form (RFC 3597 §5).
 */
export function* formatZone(records: Iterable<ResourceRecord>): Generator<string> {
  for (const record of records) yield formatRecord(record);
}

function formatRecord({ owner, type, ttl, data }: ResourceRecord): string {
  return `${nameText(owner)} ${ttl} IN ${typeName(type)} ${formatRdata(type, data)}`;
}
