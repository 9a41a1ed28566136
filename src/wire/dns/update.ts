import { WireError } from '../wire-error.ts';
import { expandName, keyOfName, type NameEnds } from './compressed-name.ts';
import type { NameKey } from './name.ts';
import { HEADER } from './query.ts';
import { expandData } from './rdata-names.ts';
import { TYPE } from './record-type.ts';

// +---------------------+
// |        Header       |   opcode 5
// |         Zone        |   one question: the zone's name, SOA, its class
// |     Prerequisite    |   records that stand for what must be, or must not
// |        Update       |   records that stand for what comes and goes
// |   Additional Data   |   OPT, TSIG                        RFC 2136 §2
// +---------------------+

/** Type, class, TTL and RDLENGTH behind a record's owner. */
const RECORD_FIXED = 10;

/** A record whose class and emptiness say what it is about (RFC 2136 §2.4, §2.5). */
export interface UpdateRecord {
  readonly owner: NameKey;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** RDATA, one character per byte, names whole. */
  readonly data: string;
}

/** What an UPDATE is for: all that must be known of it to tell who may send it. */
export interface UpdateZone {
  readonly zone: NameKey;
  readonly zoneType: number;
  readonly zoneClass: number;
  /** Where its records begin. */
  readonly end: number;
}

export interface UpdateSections {
  readonly prerequisites: readonly UpdateRecord[];
  readonly updates: readonly UpdateRecord[];
}

/** Reads the zone section of an UPDATE, and nothing behind it. Throws WireError. */
export function decodeUpdateZone(bytes: Uint8Array): UpdateZone {
  const zones = readUint16(bytes, 4);
  if (zones !== 1) throw new WireError(`${zones} zones, expected 1`);
  const { name, end } = expandName(bytes, HEADER);
  if (end + 4 > bytes.length) throw new WireError('the zone is cut off');
  const [zoneType, zoneClass] = [readUint16(bytes, end), readUint16(bytes, end + 2)];
  return { zone: keyOfName(name), zoneType, zoneClass, end: end + 4 };
}

/** Reads the records behind the zone section, which ends at `start`. Additional data are not looked at. Throws WireError. */
export function decodeUpdateSections(bytes: Uint8Array, start: number): UpdateSections {
  const ends: NameEnds = new Map();
  const prerequisites = readSection(bytes, start, readUint16(bytes, 6), ends);
  const updates = readSection(bytes, prerequisites.end, readUint16(bytes, 8), ends);
  return { prerequisites: prerequisites.records, updates: updates.records };
}

/** The records of one section, and where it ends. A count that lies ends with the message: each record takes 11 octets. */
export function readRecords(bytes: Uint8Array, start: number, count: number): Section {
  return readSection(bytes, start, count, new Map());
}

interface Section {
  readonly records: readonly UpdateRecord[];
  readonly end: number;
}

function readSection(bytes: Uint8Array, start: number, count: number, ends: NameEnds): Section {
  const records: UpdateRecord[] = [];
  let at = start;
  for (let left = count; left > 0; left--) {
    const owner = expandName(bytes, at, ends);
    const data = owner.end + RECORD_FIXED;
    const end = data + readUint16(bytes, owner.end + 8);
    if (data > bytes.length || end > bytes.length) throw new WireError('a record is cut off');
    records.push(readRecord(bytes, keyOfName(owner.name), owner.end, end, ends));
    at = end;
  }
  return { records, end: at };
}

function readRecord(bytes: Uint8Array, owner: NameKey, fixed: number, end: number, ends: NameEnds): UpdateRecord {
  const type = readUint16(bytes, fixed);
  if (type === TYPE.TSIG || type === TYPE.OPT) throw new WireError('a record that belongs into the additional data');
  const data = fixed + RECORD_FIXED;
  return {
    owner,
    type,
    class: readUint16(bytes, fixed + 2),
    ttl: (readUint16(bytes, fixed + 4) * 65_536 + readUint16(bytes, fixed + 6)) >>> 0,
    // Without data it means all of a type, or none, whatever the type's data look like
    data: data === end ? '' : expandData(bytes, type, data, end, ends),
  };
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
