import { compileRecords, type RecordSet, type SoaTimes } from '../../src/wire/dns/record-set.ts';

/** The SOA of a zone with this primary name server; the mailbox is "h". */
export function soaOf(primary: string, ttl: number, times: SoaTimes): RecordSet {
  return compileRecords(ttl, { type: 'SOA', data: { mname: primary, rname: 'h', ...times } });
}
