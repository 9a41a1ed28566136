import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

/**
 * The records of a zone as columns: how they cross from thread to thread. Copying six blocks of memory costs less by far
 * than copying as many objects. The SOA stands first, and records of one set stand together.
 */
export interface ZoneColumns {
  readonly origin: NameKey;
  /** The owners' keys, one behind the other, and how long each is. */
  readonly owners: Uint8Array;
  readonly ownerLengths: Uint8Array;
  readonly types: Uint16Array;
  readonly ttls: Uint32Array;
  readonly data: Uint8Array;
  readonly dataLengths: Uint16Array;
}

/** Gives so many octets, all zero. */
type Allocate = (size: number) => ArrayBuffer | SharedArrayBuffer;

/** Records between two pauses. */
const STRIDE = 1024;

export function toColumns(origin: NameKey, records: readonly ResourceRecord[]): ZoneColumns {
  const steps = toColumnsInSteps(origin, records);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, with a pause every millisecond or so of work. Memory that threads share crosses between them without being copied. */
export function* toColumnsInSteps(
  origin: NameKey,
  records: readonly ResourceRecord[],
  allocate: Allocate = (size) => new ArrayBuffer(size),
): Generator<undefined, ZoneColumns> {
  const octets = (what: 'owner' | 'data'): Buffer => Buffer.from(allocate(sizeOf(records, what)));
  const [owners, data] = [octets('owner'), octets('data')];
  const types = new Uint16Array(allocate(2 * records.length));
  const ttls = new Uint32Array(allocate(4 * records.length));
  const ownerLengths = new Uint8Array(allocate(records.length));
  const dataLengths = new Uint16Array(allocate(2 * records.length));
  let [ownerAt, dataAt] = [0, 0];
  for (const [row, record] of records.entries()) {
    types[row] = record.type;
    ttls[row] = record.ttl;
    ownerLengths[row] = record.owner.length;
    dataLengths[row] = record.data.length;
    ownerAt += owners.write(record.owner, ownerAt, 'latin1');
    dataAt += data.write(record.data, dataAt, 'latin1');
    if (row % STRIDE === STRIDE - 1) yield;
  }
  return { origin, owners, ownerLengths, types, ttls, data, dataLengths };
}

function sizeOf(records: readonly ResourceRecord[], what: 'owner' | 'data'): number {
  let size = 0;
  for (const record of records) size += record[what].length;
  return size;
}

/** One record after the other, so that the reader may pause between them. */
export function* recordsOf(columns: ZoneColumns): Generator<ResourceRecord> {
  const { types, ttls, ownerLengths, dataLengths } = columns;
  const owners = asBuffer(columns.owners);
  const data = asBuffer(columns.data);
  let [ownerAt, dataAt] = [0, 0];
  let owner = '' as NameKey;
  for (const [row, type] of types.entries()) {
    const ownerEnd = ownerAt + (ownerLengths[row] ?? 0);
    const dataEnd = dataAt + (dataLengths[row] ?? 0);
    const text = owners.toString('latin1', ownerAt, ownerEnd) as NameKey;
    // Records of one name share its key
    if (text !== owner) owner = text;
    yield { owner, type, ttl: ttls[row] ?? 0, data: data.toString('latin1', dataAt, dataEnd) };
    [ownerAt, dataAt] = [ownerEnd, dataEnd];
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
