import type { DnsQuery } from '../../wire/dns/query.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { CompiledReply } from './reply-compiler.ts';

/** OPT without options: root, type, class, TTL, RDLENGTH. */
const OPT_SIZE = 11;
const EDNS_UDP = 1232;
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

/** Of a query what its reply depends on. */
export type Asking = Pick<DnsQuery, 'bytes' | 'questionEnd' | 'edns'>;

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
 * Writes the reply to `asking` into `into`, which does not overlap the query; returns its length, `limit` at most.
 * Id, question in the client's own spelling and flags are the query's; all else is copied.
 */
export function writeReply(asking: Asking, reply: CompiledReply, age: Age, into: Buffer, limit: number): number {
  const { bytes, questionEnd, edns } = asking;
  const hasError = edns !== undefined && age.extended !== undefined;
  const optSize = edns ? OPT_SIZE + (hasError ? EXTENDED_ERROR_SIZE : 0) : 0;
  const fits = questionEnd + reply.wire.length + optSize <= limit;
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
  if (edns) at = writeOpt(edns.dnssecOk, hasError ? (age.extended ?? 0) : undefined, into, at);
  return at;
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

function writeOpt(dnssecOk: boolean, extended: number | undefined, into: Buffer, at: number): number {
  for (let i = 0; i < OPT_SIZE; i++) into[at + i] = 0;
  into[at + 2] = TYPE.OPT;
  into[at + 3] = EDNS_UDP >>> 8;
  into[at + 4] = EDNS_UDP & 255;
  into[at + 7] = dnssecOk ? 0x80 : 0;
  if (extended === undefined) return at + OPT_SIZE;
  into[at + 10] = EXTENDED_ERROR_SIZE;
  into.writeUInt16BE(EXTENDED_ERROR, at + OPT_SIZE);
  into.writeUInt16BE(2, at + OPT_SIZE + 2);
  into.writeUInt16BE(extended, at + OPT_SIZE + 4);
  return at + OPT_SIZE + EXTENDED_ERROR_SIZE;
}
