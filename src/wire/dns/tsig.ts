import { WireError } from '../wire-error.ts';
import { expandName, keyOfName } from './compressed-name.ts';
import { skipName, type NameKey } from './name.ts';
import { HEADER } from './query.ts';
import { CLASS_ANY, TYPE } from './record-type.ts';

// NAME (of the key), TYPE TSIG, CLASS ANY, TTL 0, RDLENGTH, then
//
// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
// /                Algorithm Name                 /
// |                 Time Signed                   |   48 bits
// |                     Fudge                     |
// |                   MAC Size                    |
// /                      MAC                      /
// |                  Original ID                  |
// |                     Error                     |
// |                   Other Len                   |
// /                  Other Data                   /   RFC 8945 §4.2

/** TYPE, CLASS, TTL, RDLENGTH. */
const RECORD_FIXED = 10;
/** Time, fudge and MAC size; original ID, error and length of the other data. */
const BEFORE_MAC = 10;
const BEHIND_MAC = 6;
/** Other data is the server's time, or nothing. */
const MAX_OTHER = 6;

/** Extended errors that TSIG brings (RFC 8945 §3). */
export const TSIG_ERROR = { NONE: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** A transaction signature. Names are keys: they are compared, and digested, in lower case. */
export interface Tsig {
  readonly key: NameKey;
  readonly algorithm: NameKey;
  /** Unix seconds. */
  readonly timeSigned: number;
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/**
 * Where the TSIG record of a message begins; undefined when it has none. All records are stepped over. Throws WireError
 * for a broken message, and for a TSIG that is not the last record of the last section (RFC 8945 §5.1).
 */
export function findTsig(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER) throw new WireError(`a header of ${bytes.length} bytes, expected ${HEADER}`);
  let at = HEADER;
  for (let left = readUint16(bytes, 4); left > 0; left--) at = skipName(bytes, at) + 4;
  const records = readUint16(bytes, 6) + readUint16(bytes, 8) + readUint16(bytes, 10);
  for (let left = records; left > 0; left--) {
    const fixed = skipName(bytes, at);
    const end = fixed + RECORD_FIXED + readUint16(bytes, fixed + 8);
    if (fixed + RECORD_FIXED > bytes.length || end > bytes.length) throw new WireError('a record is cut off');
    if (readUint16(bytes, fixed) === TYPE.TSIG) {
      if (left > 1 || readUint16(bytes, 10) === 0) throw new WireError('TSIG is not the last record');
      return at;
    }
    at = end;
  }
  return undefined;
}

/** Reads the TSIG record at `start`. Views of `bytes` are in it. Throws WireError. */
export function readTsig(bytes: Uint8Array, start: number): Tsig {
  const { name: key, end: fixed } = expandName(bytes, start);
  if (readUint16(bytes, fixed + 2) !== CLASS_ANY) throw new WireError('TSIG of a class other than ANY');
  // It is digested as 0 (RFC 8945 §4.2): another one would be no part of what is signed
  if (readUint16(bytes, fixed + 4) !== 0 || readUint16(bytes, fixed + 6) !== 0) throw new WireError('TSIG with a TTL');
  const { name: algorithm, end } = expandName(bytes, fixed + RECORD_FIXED);
  const macAt = end + BEFORE_MAC;
  const behind = macAt + readUint16(bytes, end + 8);
  const otherAt = behind + BEHIND_MAC;
  const otherEnd = otherAt + readUint16(bytes, behind + 4);
  const expected = fixed + RECORD_FIXED + readUint16(bytes, fixed + 8);
  if (otherEnd !== expected || otherEnd > bytes.length) throw new WireError('TSIG data of another length than it says');
  return {
    key: keyOfName(key),
    algorithm: keyOfName(algorithm),
    timeSigned: readUint16(bytes, end) * 2 ** 32 + readUint16(bytes, end + 2) * 65_536 + readUint16(bytes, end + 4),
    fudge: readUint16(bytes, end + 6),
    mac: bytes.subarray(macAt, behind),
    originalId: readUint16(bytes, behind),
    error: readUint16(bytes, behind + 2),
    other: bytes.subarray(otherAt, otherEnd),
  };
}

/** Octets of the record with a MAC of so many. */
export function tsigSize(key: NameKey, algorithm: NameKey, macSize: number): number {
  return key.length + RECORD_FIXED + algorithm.length + BEFORE_MAC + macSize + BEHIND_MAC + MAX_OTHER;
}

/** Writes the record at `at` and returns the offset behind it; counts it in the header (RFC 8945 §5.3). */
export function writeTsig(tsig: Tsig, into: Buffer, at: number): number {
  const fixed = at + into.write(tsig.key, at, 'latin1');
  into.writeUInt16BE(TYPE.TSIG, fixed);
  into.writeUInt16BE(CLASS_ANY, fixed + 2);
  into.writeUInt32BE(0, fixed + 4);
  let end = fixed + RECORD_FIXED;
  end += into.write(tsig.algorithm, end, 'latin1');
  end = writeTimers(tsig, into, end);
  end = into.writeUInt16BE(tsig.mac.length, end);
  into.set(tsig.mac, end);
  end = into.writeUInt16BE(tsig.originalId, end + tsig.mac.length);
  end = writeErrorAndOther(tsig, into, end);
  into.writeUInt16BE(end - fixed - RECORD_FIXED, fixed + 8);
  into.writeUInt16BE(into.readUInt16BE(10) + 1, 10);
  return end;
}

/** What is digested of a TSIG beside the message (RFC 8945 §4.3.3). */
export function tsigVariables(tsig: Tsig): Buffer {
  const bytes = Buffer.alloc(tsig.key.length + tsig.algorithm.length + 6 + 12 + tsig.other.length);
  let at = bytes.write(tsig.key, 0, 'latin1');
  at = bytes.writeUInt16BE(CLASS_ANY, at);
  at = bytes.writeUInt32BE(0, at);
  at += bytes.write(tsig.algorithm, at, 'latin1');
  writeErrorAndOther(tsig, bytes, writeTimers(tsig, bytes, at));
  return bytes;
}

/** Time and fudge alone: what is digested from the second message of a transfer on (RFC 8945 §5.3.1). */
export function tsigTimers(tsig: Pick<Tsig, 'timeSigned' | 'fudge'>): Buffer {
  const bytes = Buffer.alloc(8);
  writeTimers(tsig, bytes, 0);
  return bytes;
}

function writeTimers({ timeSigned, fudge }: Pick<Tsig, 'timeSigned' | 'fudge'>, into: Buffer, at: number): number {
  return into.writeUInt16BE(fudge, into.writeUIntBE(timeSigned, at, 6));
}

function writeErrorAndOther({ error, other }: Tsig, into: Buffer, at: number): number {
  const end = into.writeUInt16BE(other.length, into.writeUInt16BE(error, at));
  into.set(other, end);
  return end + other.length;
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
