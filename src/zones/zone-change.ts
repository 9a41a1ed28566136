import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

/** What became of a zone from one serial to another. Neither list holds the SOA, nor the same record as the other. */
export interface ZoneChange {
  readonly origin: NameKey;
  /** The SOA before, and after. */
  readonly from: ResourceRecord;
  readonly to: ResourceRecord;
  readonly removed: readonly ResourceRecord[];
  readonly added: readonly ResourceRecord[];
}

/** Octets of the five numbers that end the data of an SOA; the serial is the first of them (RFC 1035 §3.3.13). */
const SOA_NUMBERS = 20;

export function serialOf({ data }: Pick<ResourceRecord, 'data'>): number {
  const at = data.length - SOA_NUMBERS;
  const [a, b, c, d] = [0, 1, 2, 3].map((offset) => data.charCodeAt(at + offset)) as [number, number, number, number];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** Whether serial `a` is later than `b`, in the arithmetic of RFC 1982 §3.2. */
export function isLater(a: number, b: number): boolean {
  const ahead = (a - b) >>> 0;
  return ahead !== 0 && ahead < 0x8000_0000;
}

/** The serial behind `serial`. */
export function following(serial: number): number {
  return (serial + 1) >>> 0;
}

/** A record as one comparable text. */
export function recordText({ owner, type, ttl, data }: ResourceRecord): string {
  return `${owner}${type} ${ttl} ${data}`;
}

/** Octets of a record on the wire, its owner uncompressed. */
export function recordSize({ owner, data }: ResourceRecord): number {
  return owner.length + 10 + data.length;
}

/** Octets of a change on the wire, its two SOAs included. */
export function changeSize({ from, to, removed, added }: ZoneChange): number {
  return [from, ...removed, to, ...added].reduce((sum, record) => sum + recordSize(record), 0);
}

/**
 * One change that does what several, each beginning where the one before it ends, do one after the other (RFC 1995 §5): what
 * came and went in between is not in it.
 */
export function condense(first: ZoneChange, ...rest: readonly ZoneChange[]): ZoneChange {
  const last = rest.at(-1);
  if (!last) return first;
  const [removed, added] = [new Map<string, ResourceRecord>(), new Map<string, ResourceRecord>()];
  for (const change of [first, ...rest]) {
    for (const record of change.removed) cancelOrKeep(record, added, removed);
    for (const record of change.added) cancelOrKeep(record, removed, added);
  }
  return {
    origin: first.origin,
    from: first.from,
    to: last.to,
    removed: [...removed.values()],
    added: [...added.values()],
  };
}

function cancelOrKeep(
  record: ResourceRecord,
  other: Map<string, ResourceRecord>,
  own: Map<string, ResourceRecord>,
): void {
  const text = recordText(record);
  if (!other.delete(text)) own.set(text, record);
}
