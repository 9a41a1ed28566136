import { WireError } from '../wire-error.ts';
import { readName, skipName, type NameKey } from './name.ts';
import { TYPE } from './record-type.ts';

//                               1  1  1  1  1  1
// 0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
// |                      ID                       |
// |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
// |                    QDCOUNT                    |
// |                    ANCOUNT                    |
// |                    NSCOUNT                    |
// |                    ARCOUNT                    |   RFC 1035 §4.1.1

/** Octets of the header. */
export const HEADER = 12;
/** The opcode of an ordinary question. */
export const OPCODE_QUERY = 0;
/** How far left in the flags the opcode stands. */
export const OPCODE_SHIFT = 11;
const OPCODE_MASK = 15;
/** Type, class, TTL and RDLENGTH behind a record's owner. */
const RECORD_FIXED = 10;

/** Bits of the header's second word. */
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100 } as const;

export interface DnsHeader {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

/** One question. Offsets are into `bytes`, which is the datagram itself and lives only as long as that. */
export interface DnsQuery {
  readonly header: DnsHeader;
  readonly bytes: Uint8Array;
  /** The first byte behind the question, which begins at `HEADER`: what a reply echoes. */
  readonly questionEnd: number;
  /** The name asked for. */
  readonly key: NameKey;
  readonly type: number;
  readonly class: number;
  /** What the query's OPT record said, if it had one (RFC 6891). */
  readonly edns: Edns | undefined;
}

interface Edns {
  /** What the client can take by UDP, as it says: may be anything from 0. */
  readonly udpSize: number;
  readonly version: number;
  /** The DO bit (RFC 3225). */
  readonly dnssecOk: boolean;
}

/** Reads the header alone. Throws WireError for less than twelve bytes. */
export function decodeHeader(bytes: Uint8Array): DnsHeader {
  if (bytes.length < HEADER) throw new WireError(`a header of ${bytes.length} bytes, expected ${HEADER}`);
  const flags = readUint16(bytes, 2);
  return {
    id: readUint16(bytes, 0),
    response: (flags & FLAG.QR) !== 0,
    opcode: (flags >>> OPCODE_SHIFT) & OPCODE_MASK,
    recursionDesired: (flags & FLAG.RD) !== 0,
  };
}

/**
 * Reads a message with exactly one question (RFC 9619), of any opcode; records behind it are stepped over, but for
 * OPT. Bytes behind the last record are ignored, as some stub resolvers pad. Throws WireError.
 */
export function decodeQuery(bytes: Uint8Array, header: DnsHeader = decodeHeader(bytes)): DnsQuery {
  const questions = readUint16(bytes, 4);
  if (questions !== 1) throw new WireError(`${questions} questions, expected 1`);
  const { key, end } = readName(bytes, HEADER);
  if (end + 4 > bytes.length) throw new WireError('the question is cut off');
  return {
    header,
    bytes,
    questionEnd: end + 4,
    key,
    type: readUint16(bytes, end),
    class: readUint16(bytes, end + 2),
    edns: readEdns(bytes, end + 4),
  };
}

/** Steps over all records from `at` and returns what OPT said; a second OPT is a format error (RFC 6891 §6.1.1). */
function readEdns(bytes: Uint8Array, start: number): Edns | undefined {
  const before = readUint16(bytes, 6) + readUint16(bytes, 8);
  const count = before + readUint16(bytes, 10);
  let at = start;
  let edns: Edns | undefined;
  // Every record takes 11 bytes or throws, so a count that lies ends with the message
  for (let i = 0; i < count; i++) {
    const fixed = skipName(bytes, at);
    const end = recordEnd(bytes, fixed);
    if (readUint16(bytes, fixed) === TYPE.OPT) {
      if (edns) throw new WireError('more than one OPT record');
      if (i < before) throw new WireError('OPT outside the additional section');
      if (fixed !== at + 1) throw new WireError('OPT with an owner other than the root');
      edns = readOpt(bytes, fixed);
    }
    at = end;
  }
  return edns;
}

function recordEnd(bytes: Uint8Array, fixed: number): number {
  if (fixed + RECORD_FIXED > bytes.length) throw new WireError('a record is cut off');
  const end = fixed + RECORD_FIXED + readUint16(bytes, fixed + 8);
  if (end > bytes.length) throw new WireError('record data run past the end');
  return end;
}

/** OPT keeps the UDP size in CLASS, and extended RCODE, version, DO and Z in TTL (RFC 6891 §6.1.2, §6.1.3). */
function readOpt(bytes: Uint8Array, fixed: number): Edns {
  return {
    udpSize: readUint16(bytes, fixed + 2),
    version: bytes[fixed + 5] ?? 0,
    dnssecOk: ((bytes[fixed + 6] ?? 0) & 0x80) !== 0,
  };
}

/** The caller has checked that both bytes are there. */
function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
