import { WireError } from '../wire-error.ts';
import { optionWords, readOptions, type TftpOptions } from './options.ts';

/** RFC 1350 §5; OACK is of RFC 2347. */
const RRQ = 1;
const WRQ = 2;
const DATA = 3;
const ACK = 4;
const ERROR = 5;
const OACK = 6;

/** Octets before the file's own in a DATA packet. */
export const DATA_HEADER = 4;

/** RFC 2347: "The maximum size of a request packet is 512 octets." */
const LONGEST_REQUEST = 512;

const LONGEST_MESSAGE = 127;

/** No OACK or ERROR of ours is longer: one is made of a request, the other's message is cut. */
export const LONGEST_CONTROL = LONGEST_REQUEST;

/** RFC 1350 appendix, and 8 of RFC 2347. */
export const TFTP_ERROR = {
  notDefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransferId: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionsRefused: 8,
} as const;

export interface TftpRequest {
  readonly type: 'rrq' | 'wrq';
  /** As sent, read as UTF-8; what is none becomes U+FFFD. */
  readonly file: string;
  /** Lower case: `octet`, `netascii`, or whatever else was sent. */
  readonly mode: string;
  readonly options: TftpOptions;
}

export type TftpPacket =
  | TftpRequest
  /** `data` is a view of the packet. */
  | { readonly type: 'data'; readonly block: number; readonly data: Uint8Array }
  | { readonly type: 'ack'; readonly block: number }
  | { readonly type: 'error'; readonly code: number; readonly message: string }
  | { readonly type: 'oack'; readonly options: TftpOptions };

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** Reads one datagram. Throws WireError when it is not TFTP. */
export function decodeTftp(bytes: Uint8Array): TftpPacket {
  const opcode = readUint16(bytes, 0, 'opcode');
  switch (opcode) {
    case RRQ:
      return decodeRequest('rrq', bytes);
    case WRQ:
      return decodeRequest('wrq', bytes);
    case DATA:
      return { type: 'data', block: readUint16(bytes, 2, 'block number'), data: bytes.subarray(DATA_HEADER) };
    case ACK:
      return { type: 'ack', block: readUint16(bytes, 2, 'block number') };
    case ERROR:
      return decodeError(bytes);
    case OACK:
      return { type: 'oack', options: readOptions(readWords(bytes, 2)) };
    default:
      throw new WireError(`expected a TFTP opcode from 1 to 6, found ${opcode}`);
  }
}

/*
 *   2 bytes     string    1 byte   string   1 byte
 *  +-----------+---~~---+--------+---~~---+--------+--~~
 *  | 01 / 02   |  file  |   0    |  mode  |   0    | options
 *  +-----------+---~~---+--------+---~~---+--------+--~~
 */
function decodeRequest(type: 'rrq' | 'wrq', bytes: Uint8Array): TftpRequest {
  if (bytes.length > LONGEST_REQUEST) {
    throw new WireError(`expected a request of at most ${LONGEST_REQUEST} bytes, found ${bytes.length}`);
  }
  const fileEnd = endOfWord(bytes, 2);
  const modeEnd = fileEnd < 0 ? -1 : endOfWord(bytes, fileEnd + 1);
  if (fileEnd < 0 || modeEnd < 0) throw new WireError('expected a file name and a mode, each with a NUL behind it');
  const file = utf8.decode(bytes.subarray(2, fileEnd));
  if (file === '') throw new WireError('expected a file name, found none');
  const mode = utf8.decode(bytes.subarray(fileEnd + 1, modeEnd)).toLowerCase();
  return { type, file, mode, options: readOptions(readWords(bytes, modeEnd + 1)) };
}

/** The message may lack its NUL, or be missing: an ERROR ends the transfer whatever it says. */
function decodeError(bytes: Uint8Array): TftpPacket {
  const code = readUint16(bytes, 2, 'error code');
  const end = endOfWord(bytes, 4);
  return { type: 'error', code, message: utf8.decode(bytes.subarray(4, end < 0 ? bytes.length : end)) };
}

/** All NUL-terminated strings from `start` on; what follows the last NUL is padding of some ROM and left out. */
function readWords(bytes: Uint8Array, start: number): string[] {
  const words: string[] = [];
  for (let at = start, end = endOfWord(bytes, at); end >= 0; at = end + 1, end = endOfWord(bytes, at)) {
    words.push(utf8.decode(bytes.subarray(at, end)));
  }
  return words;
}

/** The place of the next NUL, or -1. */
function endOfWord(bytes: Uint8Array, start: number): number {
  return bytes.indexOf(0, start);
}

function readUint16(bytes: Uint8Array, offset: number, what: string): number {
  const high = bytes[offset];
  const low = bytes[offset + 1];
  if (high === undefined || low === undefined) {
    throw new WireError(`expected 2 bytes of ${what} at ${offset}, found the end after ${bytes.length}`);
  }
  return high * 256 + low;
}

/** Writes a request; returns its length. Throws RangeError when `into` is too small, as every encoder here. */
export function encodeRequest(into: Uint8Array, request: TftpRequest): number {
  writeUint16(into, 0, request.type === 'rrq' ? RRQ : WRQ);
  return writeWords(into, 2, [request.file, request.mode, ...optionWords(request.options)]);
}

/*
 *   2 bytes    2 bytes       n bytes
 *  +---------+-------------+---~~---+
 *  |   03    |   Block #   |  Data  |
 *  +---------+-------------+---~~---+
 */
/** Writes the header of block `block`, counted from 1 and taken modulo 65536, at `at`; the caller puts the data behind it. */
export function encodeDataHeader(into: Uint8Array, at: number, block: number): void {
  writeUint16(into, at, DATA);
  writeUint16(into, at + 2, block & 0xffff);
}

/*
 *   2 bytes    2 bytes
 *  +---------+-------------+
 *  |   04    |   Block #   |
 *  +---------+-------------+
 */
export function encodeAck(into: Uint8Array, block: number): number {
  writeUint16(into, 0, ACK);
  writeUint16(into, 2, block & 0xffff);
  return 4;
}

/*
 *   2 bytes    2 bytes       string   1 byte
 *  +---------+-------------+---~~---+--------+
 *  |   05    |  ErrorCode  | ErrMsg |   0    |
 *  +---------+-------------+---~~---+--------+
 */
/** A long message is cut: UEFI keeps no more than 127 characters (EFI_PXE_BASE_CODE_TFTP_ERROR). */
export function encodeError(into: Uint8Array, code: number, message: string): number {
  writeUint16(into, 0, ERROR);
  writeUint16(into, 2, code);
  return writeWords(into, 4, [message.slice(0, LONGEST_MESSAGE)]);
}

/*
 *   2 bytes    string  1 byte   string  1 byte
 *  +---------+---~~---+-------+---~~---+-------+--~~
 *  |   06    |  opt1  |   0   | value1 |   0   | …
 *  +---------+---~~---+-------+---~~---+-------+--~~
 */
export function encodeOack(into: Uint8Array, options: TftpOptions): number {
  writeUint16(into, 0, OACK);
  return writeWords(into, 2, optionWords(options));
}

/** Writes each word and a NUL; a NUL inside a word ends it there. */
function writeWords(into: Uint8Array, start: number, words: readonly string[]): number {
  let at = start;
  for (const word of words) {
    const text = word.split('\0', 1)[0] ?? '';
    const { read, written } = utf8Encoder.encodeInto(text, into.subarray(at));
    at += written;
    if (at >= into.length || read < text.length)
      throw new RangeError(`${into.length} bytes are too few for the packet`);
    into[at++] = 0;
  }
  return at;
}

function writeUint16(into: Uint8Array, offset: number, value: number): void {
  if (offset + 2 > into.length) throw new RangeError(`${into.length} bytes are too few for the packet`);
  into[offset] = value >>> 8;
  into[offset + 1] = value & 255;
}
