import { readIp4, writeIp4, type Ip4 } from '../../addr/ip4.ts';
import { WireError } from '../wire-error.ts';
import { DhcpOptions, findOptions, NO_OPTIONS, writeOption, type DhcpOption } from './dhcp-options.ts';
import { OptionCode } from './option-code.ts';

/*
 * RFC 2131 figure 1:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+---------------+---------------+
 *   |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |   0
 *   +---------------+---------------+---------------+---------------+
 *   |                            xid (4)                            |   4
 *   +-------------------------------+-------------------------------+
 *   |           secs (2)            |           flags (2)           |   8
 *   +-------------------------------+-------------------------------+
 *   |                          ciaddr  (4)                          |  12
 *   +---------------------------------------------------------------+
 *   |                          yiaddr  (4)                          |  16
 *   +---------------------------------------------------------------+
 *   |                          siaddr  (4)                          |  20
 *   +---------------------------------------------------------------+
 *   |                          giaddr  (4)                          |  24
 *   +---------------------------------------------------------------+
 *   |                          chaddr  (16)                         |  28
 *   +---------------------------------------------------------------+
 *   |                          sname   (64)                         |  44
 *   +---------------------------------------------------------------+
 *   |                          file    (128)                        | 108
 *   +---------------------------------------------------------------+
 *   |                 magic cookie 99 130 83 99 (4)                 | 236
 *   +---------------------------------------------------------------+
 *   |                          options (variable)                   | 240
 *   +---------------------------------------------------------------+
 */
const CHADDR = 28;
const SNAME = 44;
const FILE = 108;
const COOKIE = 236;
const OPTIONS = 240;
/** RFC 2131 §3: 99, 130, 83, 99. */
const MAGIC_COOKIE = 0x63825363;
/** What BOOTP packets measure (RFC 951 §3): relays and old stacks drop a shorter reply. */
const SMALLEST_REPLY = 300;

/** RFC 2131 §2: who is speaking. */
export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;
/** `flags`: the client cannot take a unicast reply yet (RFC 2131 §4.1). */
export const BROADCAST_FLAG = 0x8000;

/** The fields of figure 1. `chaddr`: 16 bytes, of which `hlen` count. `sname` and `file`: up to the first NUL. */
export interface DhcpMessage {
  readonly op: number;
  readonly htype: number;
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  readonly flags: number;
  readonly ciaddr: Ip4;
  readonly yiaddr: Ip4;
  readonly siaddr: Ip4;
  readonly giaddr: Ip4;
  readonly chaddr: Uint8Array;
  readonly sname: string;
  readonly file: string;
  readonly options: Iterable<DhcpOption>;
}

/**
 * A message as it came in. `chaddr` and option values are views of the datagram, valid as long as it is; `sname` and
 * `file` are one character a byte, and empty where they carry options.
 */
export interface DhcpPacket extends DhcpMessage {
  /** False for BOOTP whose vendor area is not ours to read (RFC 1497: no such cookie, no such format); it then has no options. */
  readonly hasCookie: boolean;
  readonly options: DhcpOptions;
}

/**
 * Reads a datagram. Throws WireError when it is too short for a cookie, says its hardware address is longer than the
 * field, or has an option that runs past its end; no other bytes are an error here, `op` and a missing option 53 included.
 */
export function decodeDhcp(bytes: Uint8Array): DhcpPacket {
  if (bytes.length < OPTIONS) throw new WireError(`expected at least ${OPTIONS} bytes, found ${bytes.length}`);
  const hlen = bytes[2] ?? 0;
  if (hlen > SNAME - CHADDR) throw new WireError(`expected a hardware address of at most 16 bytes, found ${hlen}`);
  const hasCookie = readIp4(bytes, COOKIE) === MAGIC_COOKIE;
  const places: number[] = [];
  const overload = hasCookie ? findAllOptions(bytes, places) : 0;
  return {
    op: bytes[0] ?? 0,
    htype: bytes[1] ?? 0,
    hlen,
    hops: bytes[3] ?? 0,
    xid: readIp4(bytes, 4),
    secs: readU16(bytes, 8),
    flags: readU16(bytes, 10),
    ciaddr: readIp4(bytes, 12),
    yiaddr: readIp4(bytes, 16),
    siaddr: readIp4(bytes, 20),
    giaddr: readIp4(bytes, 24),
    chaddr: bytes.subarray(CHADDR, SNAME),
    sname: overload & OVERLOADS_SNAME ? '' : readField(bytes, SNAME, FILE),
    file: overload & OVERLOADS_FILE ? '' : readField(bytes, FILE, COOKIE),
    hasCookie,
    options: hasCookie ? new DhcpOptions(bytes, places) : NO_OPTIONS,
  };
}

/** Option 52 (RFC 2132 §9.3): which header fields hold options too. */
const OVERLOADS_FILE = 1;
const OVERLOADS_SNAME = 2;

/** Fills `places` in the order RFC 3396 §5 joins options: options field, file, sname. Returns what option 52 says. */
function findAllOptions(bytes: Uint8Array, places: number[]): number {
  findOptions(bytes, OPTIONS, bytes.length, places);
  const overload = overloadOf(bytes, places);
  if (overload & OVERLOADS_FILE) findOptions(bytes, FILE, COOKIE, places);
  if (overload & OVERLOADS_SNAME) findOptions(bytes, SNAME, FILE, places);
  return overload;
}

/** 0 where there is no option 52, or one that RFC 2132 §9.3 does not define. */
function overloadOf(bytes: Uint8Array, places: readonly number[]): number {
  const place = places.find((at) => bytes[at] === OptionCode.overload);
  if (place === undefined || bytes[place + 1] !== 1) return 0;
  const value = bytes[place + 2] ?? 0;
  return value <= (OVERLOADS_FILE | OVERLOADS_SNAME) ? value : 0;
}

/** Text up to the first NUL, one character a byte. */
function readField(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/**
 * Writes `message` into `into` and returns its length. Options go out in the order given, but 82 last (RFC 3046 §2.1:
 * relays strip what follows it) and 52 never; zeros fill up to 300 bytes, after End, since U-Boot stumbles over Pad before it. Throws
 * WireError when the message passes `limit` bytes, `sname` 63 or `file` 127 characters, or `chaddr` 16 bytes.
 */
export function encodeDhcp(message: DhcpMessage, into: Uint8Array, limit: number = into.length): number {
  const size = Math.min(limit, into.length);
  if (size < SMALLEST_REPLY) throw new WireError(`expected room for ${SMALLEST_REPLY} bytes, found ${size}`);
  into[0] = message.op;
  into[1] = message.htype;
  into[2] = message.hlen;
  into[3] = message.hops;
  writeU32(into, 4, message.xid);
  writeU16(into, 8, message.secs);
  writeU16(into, 10, message.flags);
  writeIp4(into, 12, message.ciaddr);
  writeIp4(into, 16, message.yiaddr);
  writeIp4(into, 20, message.siaddr);
  writeIp4(into, 24, message.giaddr);
  writeHardwareAddress(into, message.chaddr);
  writeField(into, SNAME, FILE, message.sname);
  writeField(into, FILE, COOKIE, message.file);
  writeU32(into, COOKIE, MAGIC_COOKIE);
  const end = writeAllOptions(message.options, into, size - 1);
  into[end] = OptionCode.end;
  if (end + 1 >= SMALLEST_REPLY) return end + 1;
  into.fill(0, end + 1, SMALLEST_REPLY);
  return SMALLEST_REPLY;
}

function writeAllOptions(options: Iterable<DhcpOption>, into: Uint8Array, limit: number): number {
  let at = OPTIONS;
  let relayAgent: DhcpOption | undefined;
  for (const option of options) {
    if (option.code === OptionCode.relayAgent) relayAgent = option;
    // `file` and `sname` are names here: PXE ROMs trip over overload, and a 52 copied from a packet would be untrue.
    else if (option.code !== OptionCode.overload) at = writeOption(option, into, at, limit);
  }
  return relayAgent ? writeOption(relayAgent, into, at, limit) : at;
}

function writeHardwareAddress(into: Uint8Array, chaddr: Uint8Array): void {
  if (chaddr.length > SNAME - CHADDR)
    throw new WireError(`expected chaddr of at most 16 bytes, found ${chaddr.length}`);
  into.set(chaddr, CHADDR);
  into.fill(0, CHADDR + chaddr.length, SNAME);
}

/** Leaves room for a NUL: PXE ROMs look for it (RFC 2131 §2 says "null terminated"). */
function writeField(into: Uint8Array, start: number, end: number, text: string): void {
  const longest = end - start - 1;
  if (text.length > longest)
    throw new WireError(`expected at most ${longest} characters, found ${text.length}: ${text}`);
  for (let i = 0; i < text.length; i++) into[start + i] = text.charCodeAt(i);
  into.fill(0, start + text.length, end);
}

function writeU16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 8;
  into[at + 1] = value & 255;
}

function writeU32(into: Uint8Array, at: number, value: number): void {
  writeU16(into, at, value >>> 16);
  writeU16(into, at + 2, value & 0xffff);
}
