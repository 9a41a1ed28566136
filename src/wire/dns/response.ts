import { WireError } from '../wire-error.ts';
import { expandName, keyOfName, type NameEnds } from './compressed-name.ts';
import { readName, type NameKey } from './name.ts';
import { HEADER, OPCODE_SHIFT } from './query.ts';
import { expandData } from './rdata-names.ts';
import { CLASS_IN, TYPE } from './record-type.ts';
import type { ResourceRecord } from './resource-record.ts';

const FLAG_QR = 0x8000;
const FLAG_TC = 0x0200;
const FLAG_AD = 0x0020;
/** Type, class, TTL and RDLENGTH behind a record's owner. */
const RECORD_FIXED = 10;
/** RFC 2181 §8: a TTL with the top bit set is zero. */
const MAX_TTL = 0x7fff_ffff;

/** The beginning of a response: enough to tell whether it is the answer to a question. */
export interface ResponseHead {
  readonly id: number;
  readonly truncated: boolean;
  /** The AD bit (RFC 4035 §3.2.3). */
  readonly authentic: boolean;
  /** Of the header alone. */
  readonly rcode: number;
  /** Absent where the server did not repeat it, as some do with FORMERR. */
  readonly question?: ResponseQuestion;
}

interface ResponseQuestion {
  readonly key: NameKey;
  readonly type: number;
  readonly class: number;
  /** The offset behind it. It begins at `HEADER`. */
  readonly end: number;
}

/** A response with its records, names whole; those of other classes are left out. */
export interface DnsResponse extends ResponseHead {
  /** With the upper bits that OPT has (RFC 6891 §6.1.3). */
  readonly extendedRcode: number;
  readonly hasEdns: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
}

/** Reads header and question. Throws WireError for what is no response to an ordinary question. */
export function readResponseHead(bytes: Uint8Array): ResponseHead {
  if (bytes.length < HEADER) throw new WireError(`a header of ${bytes.length} bytes, expected ${HEADER}`);
  const flags = readUint16(bytes, 2);
  if ((flags & FLAG_QR) === 0) throw new WireError('a query, expected a response');
  if (((flags >>> OPCODE_SHIFT) & 15) !== 0) throw new WireError('a response of another opcode');
  const questions = readUint16(bytes, 4);
  if (questions > 1) throw new WireError(`${questions} questions, expected 1`);
  return {
    id: readUint16(bytes, 0),
    truncated: (flags & FLAG_TC) !== 0,
    authentic: (flags & FLAG_AD) !== 0,
    rcode: flags & 15,
    ...(questions === 1 && { question: readQuestion(bytes) }),
  };
}

function readQuestion(bytes: Uint8Array): ResponseQuestion {
  const { key, end } = readName(bytes, HEADER);
  if (end + 4 > bytes.length) throw new WireError('the question is cut off');
  return { key, type: readUint16(bytes, end), class: readUint16(bytes, end + 2), end: end + 4 };
}

/** Reads the records behind a head. Bytes behind the last record are ignored. Throws WireError. */
export function readResponse(bytes: Uint8Array, head: ResponseHead = readResponseHead(bytes)): DnsResponse {
  let at = head.question?.end ?? HEADER;
  let opt: number | undefined;
  const ends: NameEnds = new Map();
  const keys = new Map<string, NameKey>();
  const keyOf = (name: string): NameKey => {
    const key = keys.get(name) ?? keyOfName(name);
    keys.set(name, key);
    return key;
  };
  // Every record takes 11 bytes or throws, so a count that lies ends with the message
  const readSection = (countAt: number, keep: boolean): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let left = readUint16(bytes, countAt); left > 0; left--) {
      const owner = expandName(bytes, at, ends);
      const data = dataStart(bytes, owner.end);
      const type = readUint16(bytes, owner.end);
      at = data + readUint16(bytes, data - 2);
      if (at > bytes.length) throw new WireError('record data run past the end');
      if (type === TYPE.OPT) opt ??= owner.end;
      else if (keep && readUint16(bytes, owner.end + 2) === CLASS_IN) {
        const ttl = readUint32(bytes, owner.end + 4);
        const record = { owner: keyOf(owner.name), type, ttl: ttl > MAX_TTL ? 0 : ttl };
        records.push({ ...record, data: expandData(bytes, type, data, at, ends) });
      }
    }
    return records;
  };
  const answers = readSection(6, true);
  const authorities = readSection(8, true);
  // Only OPT is of use there: what else a forwarder is told in it, nobody asked for
  readSection(10, false);
  const high = opt === undefined ? 0 : (bytes[opt + 4] ?? 0);
  return { ...head, extendedRcode: (high << 4) | head.rcode, hasEdns: opt !== undefined, answers, authorities };
}

function dataStart(bytes: Uint8Array, fixed: number): number {
  if (fixed + RECORD_FIXED > bytes.length) throw new WireError('a record is cut off');
  return fixed + RECORD_FIXED;
}

/** The caller has checked that the bytes are there. */
function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at) * 0x1_0000 + readUint16(bytes, at + 2);
}
