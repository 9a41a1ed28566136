import { FLAG, HEADER, OPCODE_QUERY, OPCODE_SHIFT, type DnsQuery } from '../wire/dns/query.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import type { RecordSet } from '../wire/dns/record-set.ts';
import { CLASS_IN, TYPE } from '../wire/dns/record-type.ts';
import type { ZoneSet } from './zone-set.ts';
import type { Zone } from './zone.ts';

/** What every client takes without EDNS (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** What fits an Ethernet frame on any path, and what we offer to take ourselves (DNS flag day 2020). */
const EDNS_UDP = 1232;
/** OPT without options: root, type, class, TTL, RDLENGTH. */
const OPT_SIZE = 11;

/** What goes into a reply beside the question. */
interface Content {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answer?: RecordSet;
  readonly authority?: { readonly zone: Zone; readonly records: RecordSet };
}

const REFUSED: Content = { rcode: RCODE.REFUSED, authoritative: false };
const NOT_IMPLEMENTED: Content = { rcode: RCODE.NOTIMP, authoritative: false };
const BAD_VERSION: Content = { rcode: RCODE.BADVERS, authoritative: false };

/**
 * Writes the reply to a query into `into`, which takes at least 512 bytes and does not overlap the query; returns
 * its length. Never larger than what the client takes by UDP.
 */
export function answer(query: DnsQuery, zones: ZoneSet, into: Uint8Array): number {
  return writeReply(query, decide(query, zones), into);
}

/** The header alone, for a message whose question can't be used; `bytes` has a header. */
export function answerHeader(bytes: Uint8Array, rcode: number, into: Uint8Array): number {
  into.fill(0, 0, HEADER);
  into[0] = bytes[0] ?? 0;
  into[1] = bytes[1] ?? 0;
  // QR set; opcode and RD as they came
  into[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  into[3] = rcode;
  return HEADER;
}

function decide(query: DnsQuery, zones: ZoneSet): Content {
  // NOTIFY and UPDATE among them
  if (query.header.opcode !== OPCODE_QUERY) return NOT_IMPLEMENTED;
  // RFC 6891 §6.1.3: a version we don't speak is told ours, whatever the question
  if (query.edns && query.edns.version > 0) return BAD_VERSION;
  if (query.class !== CLASS_IN) return REFUSED;
  // Transfers need a stream (RFC 5936 §4.2) and a client that is allowed to
  if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return REFUSED;
  const zone = zones.find(query.key);
  return zone ? decideInZone(query, zone) : REFUSED;
}

function decideInZone(query: DnsQuery, zone: Zone): Content {
  const sets = zone.find(query.key);
  const authority = { zone, records: zone.negative };
  if (!sets) return { rcode: RCODE.NXDOMAIN, authoritative: true, authority };
  // RFC 8482 §4.1: ANY gets one of the sets, so that it is no tool for amplification
  const found = query.type === TYPE.ANY ? sets[0] : sets.find((set) => set.type === query.type);
  // RFC 2308 §2.2: the name is there, if only because of names below it, but not this type
  if (!found) return { rcode: RCODE.NOERROR, authoritative: true, authority };
  return { rcode: RCODE.NOERROR, authoritative: true, answer: found };
}

function writeReply(query: DnsQuery, content: Content, into: Uint8Array): number {
  const limit = replyLimit(query, into) - (query.edns ? OPT_SIZE : 0);
  const { questionEnd } = query;
  for (let i = 0; i < questionEnd; i++) into[i] = query.bytes[i] ?? 0;
  const records = content.answer ?? content.authority?.records;
  const end = questionEnd + (records?.wire.length ?? 0);
  const fits = end <= limit;
  if (records && fits) {
    writeText(records.wire, into, questionEnd);
    if (content.authority) pointAtOrigin(query, content.authority.zone, into, questionEnd);
  }
  writeFlags(query, content, !fits, into);
  writeCounts(query, fits ? content : undefined, into);
  const last = fits ? end : questionEnd;
  return query.edns ? writeOpt(query.edns.dnssecOk, content.rcode, into, last) : last;
}

/** RFC 6891 §6.2.3: a size below 512 means 512. */
export function replyLimit(query: DnsQuery, into: Uint8Array): number {
  const wanted = query.edns ? Math.min(Math.max(query.edns.udpSize, PLAIN_UDP), EDNS_UDP) : PLAIN_UDP;
  return Math.min(wanted, into.length);
}

/** The owner of an SOA in the authority section is the end of the question's name that is the zone's origin. */
function pointAtOrigin(query: DnsQuery, zone: Zone, into: Uint8Array, at: number): void {
  const target = HEADER + query.key.length - zone.origin.length;
  into[at] = 0xc0 | (target >>> 8);
  into[at + 1] = target & 255;
}

function writeFlags(query: DnsQuery, content: Content, truncated: boolean, into: Uint8Array): void {
  const { header } = query;
  const flags =
    FLAG.QR |
    (header.opcode << OPCODE_SHIFT) |
    (content.authoritative ? FLAG.AA : 0) |
    (truncated ? FLAG.TC : 0) |
    (header.recursionDesired ? FLAG.RD : 0) |
    (content.rcode & 15);
  into[2] = flags >>> 8;
  into[3] = flags & 255;
}

function writeCounts(query: DnsQuery, content: Content | undefined, into: Uint8Array): void {
  const answers = content?.answer?.count ?? 0;
  const authorities = content?.authority?.records.count ?? 0;
  into[4] = 0;
  into[5] = 1;
  into[6] = answers >>> 8;
  into[7] = answers & 255;
  into[8] = 0;
  into[9] = authorities;
  into[10] = 0;
  into[11] = query.edns ? 1 : 0;
}

/** RFC 6891 §6.1.2; the DO bit comes back as it was (RFC 3225 §3). */
function writeOpt(dnssecOk: boolean, rcode: number, into: Uint8Array, at: number): number {
  for (let i = 0; i < OPT_SIZE; i++) into[at + i] = 0;
  into[at + 2] = TYPE.OPT;
  into[at + 3] = EDNS_UDP >>> 8;
  into[at + 4] = EDNS_UDP & 255;
  into[at + 5] = rcode >>> 4;
  into[at + 7] = dnssecOk ? 0x80 : 0;
  return at + OPT_SIZE;
}

/** For the few bytes of a reply a loop is faster than a call that leaves JavaScript. */
function writeText(text: string, into: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}
