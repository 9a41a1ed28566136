import { keepAsked, type Asked, type OptClient, type ReplyOptions } from '../reply-options.ts';
import type { CookieState } from '../server-cookies.ts';
import type { CompiledReply } from './reply-compiler.ts';

/** Where in OPT its RDLENGTH stands. */
const OPT_LENGTH_AT = 9;
const QR = 0x80;
const TC = 0x02;
const RD = 0x01;
const RA = 0x80;
const AD = 0x20;
const CD = 0x10;
/** Code, length and INFO-CODE of an extended error without text (RFC 8914 §2). */
const EXTENDED_ERROR = 15;
const EXTENDED_ERROR_SIZE = 6;
/** From so many bytes on, a call that leaves JavaScript is faster than a loop. */
const LONG = 256;

/** INFO-CODEs (RFC 8914 §4). */
export const EXTENDED = { staleAnswer: 3, cachedError: 13, staleNxdomain: 19, noReachableAuthority: 22 } as const;

/** Of a query what its reply depends on, and who writes the OPT of that. */
export interface Asking extends Asked {
  readonly client: OptClient;
  readonly options: OptWriter;
  readonly cookie: CookieState;
  /** What the reply may be long. */
  readonly limit: number;
}

/** Writes OPT with what the client asked for (cookie, NSID, …). */
type OptWriter = Pick<ReplyOptions, 'size' | 'write'>;

/** How old a reply is: its TTLs are less by so much, or all this one (RFC 8767 §4). */
export interface Age {
  /** Seconds since it came. */
  readonly seconds: number;
  /** Seconds; absent: the answer is fresh. */
  readonly staleTtl?: number;
  /** Why it is as it is (RFC 8914). */
  readonly extended?: number;
}

/**
 * Writes the reply to `asking` into `into`, which does not overlap the query; returns its length.
 * Id, question in the client's own spelling and flags are the query's; all else is copied.
 */
export function writeReply(asking: Asking, reply: CompiledReply, age: Age, into: Buffer): number {
  const { bytes, questionEnd, edns } = asking;
  const extended = edns && age.extended;
  const optSize = edns ? asking.options.size(asking, asking.client) : 0;
  const needed = optSize + (extended === undefined ? 0 : EXTENDED_ERROR_SIZE);
  const fits = questionEnd + reply.wire.length + needed <= asking.limit;
  for (let i = 0; i < questionEnd; i++) into[i] = bytes[i] ?? 0;
  into[2] = QR | ((bytes[2] ?? 0) & RD) | (fits ? 0 : TC);
  into[3] = RA | ((bytes[3] ?? 0) & CD) | (isToldAuthentic(asking, reply) ? AD : 0) | (reply.rcode & 15);
  writeCounts(into, fits ? reply.answers : 0, fits ? reply.authorities : 0, edns ? 1 : 0);
  let at = questionEnd;
  if (fits) {
    copyText(reply.wire, into, at);
    patchTtls(reply, age, into, at);
    at += reply.wire.length;
  }
  if (!edns) return at;
  const end = asking.options.write(asking, asking.client, asking.cookie, reply.rcode, into, at);
  return extended === undefined ? end : writeExtendedError(extended, into, at, end);
}

/** RFC 6840 §5.8: AD is for those who say by AD or DO that they know what it means. */
function isToldAuthentic({ bytes, edns }: Asking, { authentic }: CompiledReply): boolean {
  return authentic && (((bytes[3] ?? 0) & AD) !== 0 || edns?.dnssecOk === true);
}

function writeCounts(into: Buffer, answers: number, authorities: number, additionals: number): void {
  into[4] = 0;
  into[5] = 1;
  into[6] = answers >>> 8;
  into[7] = answers & 255;
  into[8] = authorities >>> 8;
  into[9] = authorities & 255;
  into[10] = 0;
  into[11] = additionals;
}

function copyText(text: string, into: Buffer, at: number): void {
  if (text.length >= LONG) into.write(text, at, 'latin1');
  else for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

function patchTtls({ ttlOffsets }: CompiledReply, { seconds, staleTtl }: Age, into: Buffer, begin: number): void {
  for (let i = 0; i < ttlOffsets.length; i++) {
    const at = begin + ttlOffsets.charCodeAt(i);
    const ttl = staleTtl ?? Math.max(readUint32(into, at) - seconds, 0);
    into[at] = ttl >>> 24;
    into[at + 1] = (ttl >>> 16) & 255;
    into[at + 2] = (ttl >>> 8) & 255;
    into[at + 3] = ttl & 255;
  }
}

/** Below 2^31: what is kept is clamped. */
function readUint32(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

/** One more option of the OPT that begins at `opt` and ends at `end`. */
function writeExtendedError(extended: number, into: Buffer, opt: number, end: number): number {
  const lengthAt = opt + OPT_LENGTH_AT;
  into.writeUInt16BE(into.readUInt16BE(lengthAt) + EXTENDED_ERROR_SIZE, lengthAt);
  into.writeUInt16BE(EXTENDED_ERROR, end);
  into.writeUInt16BE(2, end + 2);
  into.writeUInt16BE(extended, end + 4);
  return end + EXTENDED_ERROR_SIZE;
}

/** What outlives the query. */
export function keepAsking(asking: Asking): Asking {
  const { client, options, cookie, limit } = asking;
  const { address, idleTimeout } = client;
  return {
    ...keepAsked(asking),
    client: { address, ...(idleTimeout !== undefined && { idleTimeout }) },
    options,
    cookie,
    limit,
  };
}
