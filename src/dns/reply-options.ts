import { OPTION, type DnsQuery } from '../wire/dns/query.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import { CLIENT_COOKIE } from '../wire/dns/query.ts';
import type { DnsClient } from './dns-client.ts';
import { SERVER_COOKIE, type CookieState, type ServerCookies } from './server-cookies.ts';

/** What fits an Ethernet frame on any path, and what we offer to take ourselves (DNS flag day 2020). */
export const EDNS_UDP = 1232;
/** OPT without options: root, type, class, TTL, RDLENGTH. */
const OPT_SIZE = 11;
/** Code and length in front of an option. */
const OPTION_HEAD = 4;
const KEEPALIVE_SIZE = 2;
/** Octets of a query: who waits costs memory. */
const MOST_KEPT = 512;
/** RFC 7828 tells time in tenths of a second. */
const TENTH = 100;

/** Of a query what the OPT of its reply depends on. */
export type OptAsked = Pick<DnsQuery, 'bytes' | 'edns'>;
export type OptClient = Pick<DnsClient, 'address' | 'idleTimeout'>;

/** Of a query what its reply depends on. */
export type Asked = Pick<DnsQuery, 'bytes' | 'questionEnd' | 'edns'>;

/** The OPT record of replies, and the options that clients ask for. */
export class ReplyOptions {
  readonly #cookies: ServerCookies;
  readonly #nsid: string;

  /** `nsid`: which server this is (RFC 5001); empty to keep it to ourselves. */
  constructor(cookies: ServerCookies, nsid: string) {
    this.#cookies = cookies;
    this.#nsid = nsid;
  }

  /** What the OPT of a reply to `query` takes; 0 without EDNS. */
  size({ edns }: OptAsked, client: OptClient): number {
    if (!edns) return 0;
    let size = OPT_SIZE;
    if (edns.wantsNsid && this.#nsid !== '') size += OPTION_HEAD + this.#nsid.length;
    if (edns.cookieLength > 0) size += OPTION_HEAD + CLIENT_COOKIE + SERVER_COOKIE;
    if (edns.wantsKeepalive && client.idleTimeout !== undefined) size += OPTION_HEAD + KEEPALIVE_SIZE;
    return size;
  }

  /** What a client's cookie proves. */
  cookieState({ edns, bytes }: OptAsked, { address }: OptClient): CookieState {
    if (!edns || edns.cookieLength === 0) return 'none';
    return this.#cookies.check(bytes, edns.cookieAt, edns.cookieLength, address);
  }

  /** Writes OPT at `start`, and returns the offset behind it (RFC 6891 §6.1.2; the DO bit comes back, RFC 3225 §3). */
  write(query: OptAsked, client: OptClient, state: CookieState, rcode: number, into: Buffer, start: number): number {
    const { edns, bytes } = query;
    if (!edns) return start;
    for (let i = 0; i < OPT_SIZE; i++) into[start + i] = 0;
    into[start + 2] = TYPE.OPT;
    into[start + 3] = EDNS_UDP >>> 8;
    into[start + 4] = EDNS_UDP & 255;
    into[start + 5] = rcode >>> 4;
    into[start + 7] = edns.dnssecOk ? 0x80 : 0;
    let at = start + OPT_SIZE;
    if (edns.wantsNsid && this.#nsid !== '') {
      at = writeHead(OPTION.NSID, this.#nsid.length, into, at);
      at += into.write(this.#nsid, at, 'latin1');
    }
    if (edns.cookieLength > 0) {
      at = writeHead(OPTION.COOKIE, CLIENT_COOKIE + SERVER_COOKIE, into, at);
      this.#cookies.write(bytes, edns.cookieAt, state, client.address, into, at);
      at += CLIENT_COOKIE + SERVER_COOKIE;
    }
    // RFC 7828 §3.3.2: never by UDP
    if (edns.wantsKeepalive && client.idleTimeout !== undefined) {
      at = writeHead(OPTION.KEEPALIVE, KEEPALIVE_SIZE, into, at);
      at = into.writeUInt16BE(Math.min(Math.floor(client.idleTimeout / TENTH), 0xffff), at);
    }
    const length = at - start - OPT_SIZE;
    into[start + 9] = length >>> 8;
    into[start + 10] = length & 255;
    return at;
  }
}

/** What outlives a query: its header and question, and its cookie as long as that is near. */
export function keepAsked({ bytes, questionEnd, edns }: Asked): Asked {
  const cookieEnd = edns && edns.cookieLength > 0 ? edns.cookieAt + edns.cookieLength : 0;
  const isNear = cookieEnd <= MOST_KEPT;
  const end = Math.max(questionEnd, isNear ? cookieEnd : 0);
  return {
    bytes: Buffer.from(bytes.subarray(0, end)),
    questionEnd,
    edns: edns && { ...edns, cookieLength: isNear ? edns.cookieLength : 0 },
  };
}

function writeHead(code: number, length: number, into: Buffer, at: number): number {
  into[at] = 0;
  into[at + 1] = code;
  into[at + 2] = length >>> 8;
  into[at + 3] = length & 255;
  return at + OPTION_HEAD;
}
