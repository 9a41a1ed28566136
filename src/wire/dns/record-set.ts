import { encode, type Answer, type SoaData } from 'dns-packet';

import { HEADER } from './query.ts';
import { TYPE } from './record-type.ts';

/**
 * All records of one type at one name, ready to be copied into a reply: the owner is a pointer to the question's
 * name, so that the client's own spelling comes back and one compiled form serves wildcards too.
 */
export interface RecordSet {
  readonly type: number;
  readonly count: number;
  /** One character per byte: a tenth of a typed array's memory, which counts with 100,000 leases, and as fast to copy. */
  readonly wire: string;
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
  | { readonly type: 'A' | 'AAAA' | 'NS' | 'PTR' | 'CNAME'; readonly data: string }
  | { readonly type: 'SOA'; readonly data: SoaData };

/** A pointer to the question's name (RFC 1035 §4.1.4). */
const OWNER = String.fromCharCode(0xc0, HEADER);
/** Where in a compiled record its TTL stands: behind owner, type and class. */
const TTL_AT = 6;
/** The root name that dns-packet writes as owner. */
const ROOT = 1;

/** Compiles records of one type; `ttl` in seconds. Names must be valid: dns-packet does not check label lengths. */
export function compileRecords(ttl: number, first: RecordData, ...rest: readonly RecordData[]): RecordSet {
  const wire = [first, ...rest].map((record) => compileRecord(ttl, record)).join('');
  // Through bytes, so that the characters lie in one piece
  return { type: TYPE[first.type], count: 1 + rest.length, wire: Buffer.from(wire, 'latin1').toString('latin1') };
}

function compileRecord(ttl: number, record: RecordData): string {
  const answer: Answer = { name: '.', class: 'IN', ttl, ...record };
  return OWNER + encode({ type: 'response', answers: [answer] }).toString('latin1', HEADER + ROOT);
}

/** A compiled single record with another TTL. */
export function withTtl(set: RecordSet, ttl: number): RecordSet {
  return patched(set, TTL_AT, ttl);
}

/** A compiled SOA with another serial: the first of the five numbers that end its data. */
export function withSerial(soa: RecordSet, serial: number): RecordSet {
  return patched(soa, soa.wire.length - 20, serial);
}

function patched(set: RecordSet, at: number, value: number): RecordSet {
  const bytes = Buffer.from(set.wire, 'latin1');
  bytes.writeUInt32BE(value, at);
  return { ...set, wire: bytes.toString('latin1') };
}
