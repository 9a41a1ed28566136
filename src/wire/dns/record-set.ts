import { encode, type Answer, type SoaData } from 'dns-packet';

import type { NameKey } from './name.ts';
import { HEADER } from './query.ts';
import { CLASS_IN, TYPE } from './record-type.ts';
import type { ResourceRecord } from './resource-record.ts';

/**
 * All records of one type at one name, ready to be copied into a reply: the owner is a pointer to the question's
 * name, so that the client's own spelling comes back and one compiled form serves wildcards too.
 */
export interface RecordSet {
  readonly type: number;
  readonly count: number;
  /** One character per byte: a tenth of a typed array's memory, which counts with 100,000 leases, and as fast to copy. */
  readonly wire: string;
  /** The hosts that its data name: what a resolver asks for next. */
  readonly targets: readonly Target[];
}

export interface Target {
  readonly key: NameKey;
  /** Where in `wire` the name stands, in full. */
  readonly at: number;
}

/** The numbers of a start of authority, in seconds (RFC 1035 §3.3.13). */
export interface SoaTimes {
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long a "no" may be kept (RFC 2308 §4). */
  readonly minimum: number;
}

/** The data of one record, by type: addresses dotted, names without a dot at the end. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA' | 'NS' | 'PTR' | 'CNAME' | 'DNAME'; readonly data: string }
  | { readonly type: 'SOA'; readonly data: SoaData };

/** Owner as a pointer, type, class, TTL and RDLENGTH: what stands before the data of a compiled record. */
export const RECORD_HEAD = 12;
/** A pointer to the question's name (RFC 1035 §4.1.4). */
const OWNER = String.fromCharCode(0xc0, HEADER);
/** Where in a compiled record its TTL stands: behind owner, type and class. */
const TTL_AT = 6;
/** Type, class, TTL and RDLENGTH, behind the root as owner. */
const DATA_BEHIND_ROOT = 11;
const NO_TARGETS: readonly Target[] = [];

/** Where in the data of a type the name of a host stands. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.CNAME, 0],
  [TYPE.DNAME, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
]);

/** Compiles records of one type; `ttl` in seconds. Names must be valid: dns-packet does not check label lengths. */
export function compileRecords(ttl: number, first: RecordData, ...rest: readonly RecordData[]): RecordSet {
  return compileData(TYPE[first.type], ttl, [first, ...rest].map(encodeData));
}

/** Compiles the records of one owner and type: each datum once, and the lowest of their TTLs for all (RFC 2181 §5.2). */
export function compileSet(first: ResourceRecord, rest: readonly ResourceRecord[] = []): RecordSet {
  const data = rest.length === 0 ? [first.data] : [...new Set([first.data, ...rest.map((record) => record.data)])];
  return compileData(
    first.type,
    rest.reduce((ttl, record) => Math.min(ttl, record.ttl), first.ttl),
    data,
  );
}

/** Compiles data as they stand on the wire, one character per byte: at least one, and none twice. */
export function compileData(type: number, ttl: number, data: readonly string[]): RecordSet {
  const head = OWNER + uint16(type) + uint16(CLASS_IN) + uint16(ttl >>> 16) + uint16(ttl & 0xffff);
  const wire = data.map((text) => head + uint16(text.length) + text).join('');
  // Through bytes, so that the characters lie in one piece
  const flat = Buffer.from(wire, 'latin1').toString('latin1');
  return { type, count: data.length, wire: flat, targets: findTargets(type, data) };
}

function findTargets(type: number, data: readonly string[]): readonly Target[] {
  const behind = TARGET_AT.get(type);
  if (behind === undefined) return NO_TARGETS;
  let record = 0;
  return data.map((text) => {
    const at = record + RECORD_HEAD + behind;
    record += RECORD_HEAD + text.length;
    return { key: keyIn(text, behind), at };
  });
}

/** The key of the name that stands in record data. */
function keyIn(data: string, at: number): NameKey {
  let end = at;
  while (end < data.length && data.charCodeAt(end) > 0) end += 1 + data.charCodeAt(end);
  return data.slice(at, end + 1).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) as NameKey;
}

/** The records of a set, whose owner is not in it. */
export function recordsOf(owner: NameKey, set: RecordSet): ResourceRecord[] {
  const ttl = ttlOf(set);
  const records: ResourceRecord[] = [];
  for (let at = 0; at < set.wire.length;) {
    const start = at + RECORD_HEAD;
    at = start + readUint16(set.wire, start - 2);
    records.push({ owner, type: set.type, ttl, data: set.wire.slice(start, at) });
  }
  return records;
}

/** In seconds; that of all its records. */
export function ttlOf(set: RecordSet): number {
  return readUint32(set.wire, TTL_AT);
}

function encodeData(record: RecordData): string {
  const answer: Answer = { name: '.', class: 'IN', ttl: 0, ...record };
  return encode({ type: 'response', answers: [answer] }).toString('latin1', HEADER + DATA_BEHIND_ROOT);
}

/** A compiled single record with another TTL. */
export function withTtl(set: RecordSet, ttl: number): RecordSet {
  return patched(set, TTL_AT, ttl);
}

/** A compiled SOA with another serial: the first of the five numbers that end its data. */
export function withSerial(soa: RecordSet, serial: number): RecordSet {
  return patched(soa, soa.wire.length - 20, serial);
}

/** The serial of a compiled SOA. */
export function serialOf(soa: RecordSet): number {
  return readUint32(soa.wire, soa.wire.length - 20);
}

/** The last of the five numbers of a compiled SOA. */
export function minimumOf(soa: RecordSet): number {
  return readUint32(soa.wire, soa.wire.length - 4);
}

function patched(set: RecordSet, at: number, value: number): RecordSet {
  const bytes = Buffer.from(set.wire, 'latin1');
  bytes.writeUInt32BE(value, at);
  return { ...set, wire: bytes.toString('latin1') };
}

function uint16(value: number): string {
  return String.fromCharCode(value >>> 8, value & 255);
}

function readUint16(text: string, at: number): number {
  return (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
}

function readUint32(text: string, at: number): number {
  return ((readUint16(text, at) << 16) | readUint16(text, at + 2)) >>> 0;
}
