import { WireError } from '../wire-error.ts';
import { NamePath } from './name-path.ts';
import { skipName, type NameKey } from './name.ts';
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
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080 } as const;

/** EDNS options (IANA "DNS EDNS0 Option Codes"). */
export const OPTION = { NSID: 3, COOKIE: 10, KEEPALIVE: 11 } as const;
/** Octets of a client cookie; a server cookie behind it has 8 to 32 (RFC 7873 §4). */
export const CLIENT_COOKIE = 8;
const COOKIES = { least: 16, most: 40 };
const ROOT = '\0' as NameKey;

export interface DnsHeader {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

/**
 * One question. Offsets are into `bytes`, which is the datagram itself and lives only as long as that; so does all of
 * this, which is used again for the next one.
 */
export interface DnsQuery {
  readonly header: DnsHeader;
  readonly bytes: Uint8Array;
  /** 1, or 0 for a message that asks for nothing but a cookie (RFC 7873 §5.4). */
  readonly questions: number;
  /** The first byte behind the question, which begins at `HEADER`: what a reply echoes. */
  readonly questionEnd: number;
  /** The name asked for. */
  readonly path: NamePath;
  readonly key: NameKey;
  readonly type: number;
  readonly class: number;
  /** What the query's OPT record said, if it had one (RFC 6891). */
  readonly edns: Edns | undefined;
  /** Where the TSIG record begins; -1 for a message that is not signed. */
  readonly tsigAt: number;
}

export interface Edns {
  /** What the client can take by UDP, as it says: may be anything from 0. */
  readonly udpSize: number;
  readonly version: number;
  /** The DO bit (RFC 3225). */
  readonly dnssecOk: boolean;
  /** It would know which server answered (RFC 5001). */
  readonly wantsNsid: boolean;
  /** It would know for how long its connection may be idle (RFC 7828). */
  readonly wantsKeepalive: boolean;
  /** Where its cookie begins, and how long it is: 0 for none, 8 without one of a server (RFC 7873 §4). */
  readonly cookieAt: number;
  readonly cookieLength: number;
}

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

/** Reads the header alone. Throws WireError for less than twelve bytes. */
export function decodeHeader(bytes: Uint8Array): DnsHeader {
  const header = { id: 0, response: false, opcode: 0, recursionDesired: false };
  readHeader(bytes, header);
  return header;
}

/** As `QueryReader`, for one message. */
export function decodeQuery(bytes: Uint8Array): DnsQuery {
  const reader = new QueryReader();
  reader.readHeader(bytes);
  reader.readRest();
  return reader;
}

/** Reads one message after the other, and makes no garbage of them. */
export class QueryReader implements DnsQuery {
  readonly path = new NamePath();
  readonly header: Writable<DnsHeader> = { id: 0, response: false, opcode: 0, recursionDesired: false };
  bytes: Uint8Array = new Uint8Array();
  questions = 0;
  questionEnd = HEADER;
  type = 0;
  class = 0;
  tsigAt = -1;
  readonly #edns: Writable<Edns> = {
    udpSize: 0,
    version: 0,
    dnssecOk: false,
    wantsNsid: false,
    wantsKeepalive: false,
    cookieAt: 0,
    cookieLength: 0,
  };
  #hasEdns = false;

  get key(): NameKey {
    return this.path.key();
  }

  get edns(): Edns | undefined {
    return this.#hasEdns ? this.#edns : undefined;
  }

  /** Reads the header alone. Throws WireError for less than twelve bytes. */
  readHeader(bytes: Uint8Array): void {
    this.bytes = bytes;
    readHeader(bytes, this.header);
  }

  /**
   * Reads what is behind the header: exactly one question (RFC 9619), whatever the opcode, or none and a cookie. Records
   * behind it are stepped over, but for OPT and TSIG. Bytes behind the last record are ignored, as some stub resolvers
   * pad. Throws WireError.
   */
  readRest(): void {
    const { bytes } = this;
    this.questions = readUint16(bytes, 4);
    if (this.questions > 1) throw new WireError(`${this.questions} questions, expected 1`);
    if (this.questions === 1) this.#readQuestion();
    else this.#readNoQuestion();
    this.#hasEdns = false;
    this.tsigAt = -1;
    // Most queries have one record behind the question, or none
    if (bytes[7] !== 0 || bytes[9] !== 0 || bytes[11] !== 0 || bytes[6] !== 0 || bytes[8] !== 0 || bytes[10] !== 0) {
      this.#readRecords();
    }
    if (this.questions === 0 && (!this.#hasEdns || this.#edns.cookieLength === 0)) throw new WireError('no question');
  }

  #readQuestion(): void {
    const { bytes } = this;
    const end = this.path.read(bytes, HEADER);
    if (end + 4 > bytes.length) throw new WireError('the question is cut off');
    this.questionEnd = end + 4;
    this.type = readUint16(bytes, end);
    this.class = readUint16(bytes, end + 2);
  }

  #readNoQuestion(): void {
    this.path.readKey(ROOT);
    this.questionEnd = HEADER;
    this.type = 0;
    this.class = 0;
  }

  /** Steps over all records; a second OPT is a format error (RFC 6891 §6.1.1), as is TSIG before the end (RFC 8945 §5.1). */
  #readRecords(): void {
    const { bytes } = this;
    const before = readUint16(bytes, 6) + readUint16(bytes, 8);
    const count = before + readUint16(bytes, 10);
    let at = this.questionEnd;
    // Every record takes 11 bytes or throws, so a count that lies ends with the message
    for (let i = 0; i < count; i++) {
      const fixed = skipName(bytes, at);
      const end = recordEnd(bytes, fixed);
      const type = readUint16(bytes, fixed);
      if (type === TYPE.OPT) {
        if (i < before) throw new WireError('OPT outside the additional section');
        if (fixed !== at + 1) throw new WireError('OPT with an owner other than the root');
        this.#readOpt(fixed, end);
      } else if (type === TYPE.TSIG) {
        if (i < before || i !== count - 1) throw new WireError('TSIG that is not the last record');
        this.tsigAt = at;
      }
      at = end;
    }
  }

  /** OPT keeps the UDP size in CLASS, and extended RCODE, version, DO and Z in TTL (RFC 6891 §6.1.2, §6.1.3). */
  #readOpt(fixed: number, end: number): void {
    if (this.#hasEdns) throw new WireError('more than one OPT record');
    const edns = this.#edns;
    const { bytes } = this;
    this.#hasEdns = true;
    edns.udpSize = readUint16(bytes, fixed + 2);
    edns.version = bytes[fixed + 5] ?? 0;
    edns.dnssecOk = ((bytes[fixed + 6] ?? 0) & 0x80) !== 0;
    edns.wantsNsid = false;
    edns.wantsKeepalive = false;
    edns.cookieLength = 0;
    // What options of a version to come look like is not known
    if (edns.version === 0 && end > fixed + RECORD_FIXED) this.#readOptions(fixed + RECORD_FIXED, end);
  }

  #readOptions(start: number, end: number): void {
    const { bytes } = this;
    for (let at = start; at < end;) {
      if (at + 4 > end) throw new WireError('half an EDNS option');
      const length = readUint16(bytes, at + 2);
      if (at + 4 + length > end) throw new WireError('an EDNS option runs past the end of OPT');
      this.#readOption(readUint16(bytes, at), at + 4, length);
      at += 4 + length;
    }
  }

  /** Unknown options are ignored (RFC 6891 §6.1.2). */
  #readOption(code: number, at: number, length: number): void {
    const edns = this.#edns;
    if (code === OPTION.NSID) edns.wantsNsid = true;
    else if (code === OPTION.KEEPALIVE) edns.wantsKeepalive = true;
    // RFC 7873 §5.2: of several cookies the first one counts
    else if (code === OPTION.COOKIE && edns.cookieLength === 0) {
      const isWhole = length >= COOKIES.least && length <= COOKIES.most;
      if (length !== CLIENT_COOKIE && !isWhole) throw new WireError(`a cookie of ${length} bytes`);
      edns.cookieAt = at;
      edns.cookieLength = length;
    }
  }
}

function readHeader(bytes: Uint8Array, header: Writable<DnsHeader>): void {
  if (bytes.length < HEADER) throw new WireError(`a header of ${bytes.length} bytes, expected ${HEADER}`);
  const flags = readUint16(bytes, 2);
  header.id = readUint16(bytes, 0);
  header.response = (flags & FLAG.QR) !== 0;
  header.opcode = (flags >>> OPCODE_SHIFT) & OPCODE_MASK;
  header.recursionDesired = (flags & FLAG.RD) !== 0;
}

function recordEnd(bytes: Uint8Array, fixed: number): number {
  if (fixed + RECORD_FIXED > bytes.length) throw new WireError('a record is cut off');
  const end = fixed + RECORD_FIXED + readUint16(bytes, fixed + 8);
  if (end > bytes.length) throw new WireError('record data run past the end');
  return end;
}

/** The caller has checked that both bytes are there. */
function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
