import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

/** Length of the owner; type, TTL and length of the data. */
const FIXED = 1 + 2 + 4 + 2;

/** Records as bytes, for the disk: owner and data as on the wire, each behind its length. */
export function encodeRecords(records: readonly ResourceRecord[]): Buffer {
  const size = records.reduce((sum, { owner, data }) => sum + FIXED + owner.length + data.length, 0);
  const bytes = Buffer.alloc(size);
  let at = 0;
  for (const { owner, type, ttl, data } of records) {
    at = bytes.writeUInt8(owner.length, at);
    at += bytes.write(owner, at, 'latin1');
    at = bytes.writeUInt16BE(type, at);
    at = bytes.writeUInt32BE(ttl, at);
    at = bytes.writeUInt16BE(data.length, at);
    at += bytes.write(data, at, 'latin1');
  }
  return bytes;
}

/** Throws RangeError for bytes that `encodeRecords` did not write. */
export function decodeRecords(stored: Uint8Array): ResourceRecord[] {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const records: ResourceRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    const fixed = at + 1 + bytes.readUInt8(at);
    const owner = bytes.toString('latin1', at + 1, fixed) as NameKey;
    const data = fixed + FIXED - 1;
    const end = data + bytes.readUInt16BE(fixed + 6);
    if (end > bytes.length) throw new RangeError('the records are cut off');
    records.push({
      owner,
      type: bytes.readUInt16BE(fixed),
      ttl: bytes.readUInt32BE(fixed + 2),
      data: bytes.toString('latin1', data, end),
    });
    at = end;
  }
  return records;
}
