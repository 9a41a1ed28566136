import type { NameKey } from './name.ts';
import { FLAG, HEADER, OPCODE_SHIFT } from './query.ts';
import { CLASS_IN, TYPE } from './record-type.ts';
import type { ResourceRecord } from './resource-record.ts';

/** RFC 1996 §4.5 */
export const OPCODE_NOTIFY = 4;

/** Writes "this zone changed, to this SOA" into `into`; returns its length (RFC 1996 §3.7). */
export function encodeNotify(id: number, zone: NameKey, soa: ResourceRecord, into: Buffer): number {
  into.fill(0, 0, HEADER);
  into.writeUInt16BE(id, 0);
  into.writeUInt16BE((OPCODE_NOTIFY << OPCODE_SHIFT) | FLAG.AA, 2);
  into.writeUInt16BE(1, 4);
  into.writeUInt16BE(1, 6);
  let at = HEADER + into.write(zone, HEADER, 'latin1');
  at = into.writeUInt16BE(TYPE.SOA, at);
  at = into.writeUInt16BE(CLASS_IN, at);
  // The owner is the question's name
  at = into.writeUInt16BE(0xc000 | HEADER, at);
  at = into.writeUInt16BE(TYPE.SOA, at);
  at = into.writeUInt16BE(CLASS_IN, at);
  at = into.writeUInt32BE(soa.ttl, at);
  at = into.writeUInt16BE(soa.data.length, at);
  return at + into.write(soa.data, at, 'latin1');
}
