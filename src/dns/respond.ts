import { decodeHeader, decodeQuery, OPCODE_QUERY, type DnsQuery, type DnsHeader, HEADER } from '../wire/dns/query.ts';
import { CLASS_IN } from '../wire/dns/record-type.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import { WireError } from '../wire/wire-error.ts';
import { answer, answerHeader } from './answer.ts';
import type { Tally } from './tally.ts';
import type { ZoneSet } from './zone-set.ts';

/** Where OPT's TTL, and in it the extended response code, begins: so many bytes before the end of a reply. */
const OPT_TTL = 6;

/** Any message → the length of the reply written into `into`, or 0 for no reply. Takes any bytes, throws nothing. */
export function respond(
  bytes: Uint8Array,
  zones: ZoneSet,
  into: Uint8Array,
  tally: Tally,
  elsewhere?: (query: DnsQuery) => number | undefined,
): number {
  tally.received();
  if (bytes.length < HEADER) return drop('short', tally);
  const header = decodeHeader(bytes);
  // A response is never answered: two servers would answer each other for ever
  if (header.response) return drop('response', tally);
  const query = readQuery(bytes, header);
  if (!query) return refuse(bytes, header.opcode === OPCODE_QUERY ? RCODE.FORMERR : RCODE.NOTIMP, into, tally);
  const length = (isElsewhere(query, zones) ? elsewhere?.(query) : undefined) ?? answer(query, zones, into);
  if (length === 0) return 0;
  tally.asked(query.type);
  tally.replied(replyCode(query, into, length));
  return length;
}

/** An ordinary question about a name that is not ours. */
function isElsewhere(query: DnsQuery, zones: ZoneSet): boolean {
  if (query.header.opcode !== OPCODE_QUERY || (query.edns && query.edns.version > 0)) return false;
  return query.header.recursionDesired && query.class === CLASS_IN && !zones.find(query.key);
}

function readQuery(bytes: Uint8Array, header: DnsHeader): DnsQuery | undefined {
  try {
    return decodeQuery(bytes, header);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The upper bits are in OPT, which is the last record and without options (RFC 6891 §6.1.3). */
function replyCode(query: DnsQuery, reply: Uint8Array, length: number): number {
  const high = query.edns ? (reply[length - OPT_TTL] ?? 0) : 0;
  return (high << 4) | ((reply[3] ?? 0) & 15);
}

function refuse(bytes: Uint8Array, rcode: number, into: Uint8Array, tally: Tally): number {
  tally.replied(rcode);
  return answerHeader(bytes, rcode, into);
}

function drop(reason: 'short' | 'response', tally: Tally): number {
  tally.dropped(reason);
  return 0;
}
