import type { RateLimit as RateLimitSettings } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import { FLAG, HEADER, OPCODE_QUERY, QueryReader, type DnsQuery } from '../wire/dns/query.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import { CLASS_CH, CLASS_IN, TYPE } from '../wire/dns/record-type.ts';
import { WireError } from '../wire/wire-error.ts';
import type { AddressSet } from './address-set.ts';
import { AliasChase } from './alias-chase.ts';
import { Answerer, type ZoneFinder } from './answer.ts';
import type { DnsClient } from './dns-client.ts';
import type { ForwardDesk } from './forward-desk.ts';
import { RateLimit } from './rate-limit.ts';
import { EDNS_UDP, ReplyOptions } from './reply-options.ts';
import { ReplyWriter } from './reply-writer.ts';
import { ServerCookies, type CookieState } from './server-cookies.ts';
import { ServerIdentity } from './server-identity.ts';
import type { RefuseReason, Tally } from './tally.ts';

/** What every client takes by UDP without EDNS (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** The largest message a stream carries (RFC 1035 §4.2.2). */
const LARGEST = 65_535;
const OPCODE_NOTIFY = 4;
const OPCODE_UPDATE = 5;
/** From here to ANY, types that stand in questions only (RFC 6895 §3.1). */
const FIRST_META = 128;

/** What decides how questions are answered, beside the zones. */
export interface RespondSettings {
  /** Which server this is (RFC 5001); empty to keep it to ourselves. */
  readonly nsid: string;
  /** Who has names outside our zones forwarded. */
  readonly recursion: AddressSet;
  /** Absent: replies are not limited. */
  readonly rateLimit?: RateLimitSettings;
  /** Who is sent any number of replies. */
  readonly unlimited: AddressSet;
}

/** Messages that are more than a question. Each returns the length of its reply in `into`, or 0 when it comes later, or never. */
export interface MessageDesk {
  /** AXFR or IXFR, by UDP or by a stream. */
  transfer?(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number;
  /** RFC 1996 */
  notify?(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number;
  /** RFC 2136 */
  update?(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number;
  /** A message with TSIG (RFC 8945). `plain` does with it what would be done without, within a limit of its own. */
  signed?(query: DnsQuery, client: DnsClient, into: Buffer, limit: number, plain: PlainAnswer): number;
  /** A question for a zone that is ours, and of which nothing can be said here. Absent: it fails. */
  awaited?(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number;
}

/** Returns the length of the reply, or 0; one that comes later goes through `seal` first. */
export type PlainAnswer = (limit: number, seal: (reply: Uint8Array) => Uint8Array) => number;

export interface RespondDependencies {
  readonly clock: Clock;
  readonly tally: Tally;
  /** The 16 bytes that cookies of a day are made with. */
  readonly secretOf: (day: number) => Uint8Array;
}

/** Any message → its reply. Makes no garbage of ordinary questions. */
export class Responder {
  desk: MessageDesk = {};
  forwarder: ForwardDesk | undefined;
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #zones: ZoneFinder;
  readonly #cookies: ServerCookies;
  readonly #query = new QueryReader();
  readonly #writer = new ReplyWriter();
  /** What others say of a name that an alias of ours leads to. */
  readonly #chased = Buffer.alloc(LARGEST);
  readonly #answerer: Answerer;
  #settings: RespondSettings;
  #options: ReplyOptions;
  #identity: ServerIdentity;
  #rateLimit: RateLimit | undefined;
  /** Who sent the signed message in hand, as whoever replies later sees it. */
  #sealed: DnsClient | undefined;

  constructor({ clock, tally, secretOf }: RespondDependencies, settings: RespondSettings, zones: ZoneFinder) {
    this.#clock = clock;
    this.#tally = tally;
    this.#cookies = new ServerCookies(clock, secretOf);
    this.#settings = settings;
    this.#options = new ReplyOptions(this.#cookies, settings.nsid);
    this.#identity = new ServerIdentity(settings.nsid);
    this.#rateLimit = settings.rateLimit && new RateLimit(clock, settings.rateLimit);
    this.#zones = zones;
    this.#answerer = new Answerer(zones, this.#writer);
  }

  /** Goes on with other settings; cookies stay good. */
  configure(settings: RespondSettings): void {
    const { rateLimit } = this.#settings;
    this.#settings = settings;
    this.#options = new ReplyOptions(this.#cookies, settings.nsid);
    this.#identity = new ServerIdentity(settings.nsid);
    if (!isSameLimit(rateLimit, settings.rateLimit)) {
      this.#rateLimit = settings.rateLimit && new RateLimit(this.#clock, settings.rateLimit);
    }
  }

  /**
   * Writes the reply to a message into `into`, which does not overlap it and takes at least 512 bytes; returns its length, or 0 for no
   * reply, or none yet. Takes any bytes, throws nothing.
   */
  respond(bytes: Uint8Array, client: DnsClient, into: Buffer): number {
    this.#tally.received();
    if (bytes.length < HEADER) return this.#drop('short');
    const query = this.#query;
    query.readHeader(bytes);
    // A response is never answered: two servers would answer each other for ever
    if (query.header.response) return this.#drop('response');
    if (!this.#readRest()) return this.#refuseUnread(bytes, into);
    this.#tally.asked(query.type);
    const limit = replyLimit(query, client, into);
    if (query.tsigAt < 0 || !this.desk.signed) return this.#respondTo(query, client, into, limit);
    const { address, port, idleTimeout } = client;
    return this.desk.signed(query, client, into, limit, (left, seal) => {
      this.#sealed = {
        address,
        port,
        later: () => sealing(client.later(), seal),
        ...(idleTimeout !== undefined && { idleTimeout }),
      };
      try {
        return this.#respondTo(query, client, into, left);
      } finally {
        this.#sealed = undefined;
      }
    });
  }

  #readRest(): boolean {
    try {
      this.#query.readRest();
      return true;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  }

  #respondTo(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number {
    const { opcode } = query.header;
    const state = this.#options.cookieState(query, client);
    if (state !== 'none') this.#tally.cookie(state);
    this.#writer.begin(query, into, limit - this.#options.size(query, client));
    // RFC 6891 §6.1.3: a version we don't speak is told ours, whatever the question
    if (query.edns && query.edns.version > 0) return this.#finish(query, client, state, 0, RCODE.BADVERS);
    if (opcode === OPCODE_QUERY) return this.#answer(query, client, state, into, limit);
    const { desk } = this;
    if (opcode === OPCODE_NOTIFY && desk.notify) return desk.notify(query, client, into, limit);
    if (opcode === OPCODE_UPDATE && desk.update) return desk.update(query, client, into, limit);
    return this.#finish(query, client, state, 0, RCODE.NOTIMP);
  }

  #answer(query: DnsQuery, client: DnsClient, state: CookieState, into: Buffer, limit: number): number {
    // RFC 7873 §5.4: a client may fetch a cookie without a question
    if (query.questions === 0) return this.#finish(query, client, state, 0, RCODE.NOERROR);
    if (query.class === CLASS_CH) return this.#identify(query, client, state);
    if (query.class !== CLASS_IN) return this.#refuse(query, client, state, 'class');
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) {
      return this.desk.transfer?.(query, client, into, limit) ?? this.#refuse(query, client, state, 'transfer');
    }
    if (isMeta(query.type)) return this.#finish(query, client, state, 0, RCODE.NOTIMP);
    if (this.#zones.isAwaited?.(query.path)) return this.#await(query, client, state, into, limit);
    const outcome = this.#answerer.answer(query);
    if (outcome.kind === 'alias-awaited') return this.#await(query, client, state, into, limit);
    const mayRecurse = this.forwarder !== undefined && this.#settings.recursion.has(client.address);
    const isElsewhere = outcome.kind === 'outside' || (outcome.kind === 'referral' && !outcome.authoritative);
    if (mayRecurse && isElsewhere && query.header.recursionDesired) {
      return this.#forward(query, client, state, into, limit);
    }
    if (outcome.kind === 'outside') return this.#refuse(query, client, state, 'not-ours');
    const isAlias = outcome.kind === 'alias-outside' || (outcome.kind === 'referral' && outcome.aliasTarget > 0);
    if (mayRecurse && isAlias && query.header.recursionDesired) return this.#chase(query, client, state, into, limit);
    return this.#give(
      query,
      client,
      state,
      (outcome.authoritative ? FLAG.AA : 0) | (mayRecurse ? FLAG.RA : 0),
      outcome.rcode,
    );
  }

  /** Whoever else is asked does not know, and a "no" of theirs would be kept. */
  #await(query: DnsQuery, client: DnsClient, state: CookieState, into: Buffer, limit: number): number {
    if (this.desk.awaited) return this.desk.awaited(query, client, into, limit);
    this.#answerer.reset(RCODE.SERVFAIL);
    this.#writer.clear();
    return this.#give(query, client, state, 0, RCODE.SERVFAIL);
  }

  #forward(query: DnsQuery, client: DnsClient, cookie: CookieState, into: Buffer, limit: number): number {
    const asker = this.#sealed ?? client;
    const length = this.forwarder?.ask(query, asker, into, { limit, options: this.#options, cookie }) ?? 0;
    if (length > 0) this.#tally.replied((into[3] ?? 0) & 15);
    return length;
  }

  #chase(query: DnsQuery, client: DnsClient, cookie: CookieState, into: Buffer, limit: number): number {
    const { aliasTarget, aliasEnd } = this.#answerer;
    this.#writer.backTo(aliasEnd);
    this.#writer.finish(query, 0, RCODE.NOERROR);
    const terms = { limit, options: this.#options, cookie };
    const chase = new AliasChase(query, client, terms, { message: into.subarray(0, aliasEnd), target: aliasTarget });
    const { address, port } = client;
    const later = (): ((reply: Uint8Array) => void) => {
      const send = (this.#sealed ?? client).later();
      return (reply) => send(chase.finish(reply));
    };
    const whole = { limit: LARGEST, options: this.#options, cookie: 'none' } as const;
    const length = this.forwarder?.ask(chase.question, { address, port, later }, this.#chased, whole) ?? 0;
    if (length === 0) return 0;
    const reply = chase.finish(this.#chased.subarray(0, length));
    this.#tally.replied((reply[3] ?? 0) & 15);
    return reply.copy(into);
  }

  #identify(query: DnsQuery, client: DnsClient, state: CookieState): number {
    this.#answerer.reset(RCODE.NOERROR);
    if (this.#identity.answer(query, this.#writer)) return this.#give(query, client, state, FLAG.AA, RCODE.NOERROR);
    return this.#refuse(query, client, state, 'class');
  }

  #refuse(query: DnsQuery, client: DnsClient, state: CookieState, reason: RefuseReason): number {
    this.#tally.refused(reason);
    this.#answerer.reset(RCODE.REFUSED);
    return this.#give(query, client, state, 0, RCODE.REFUSED);
  }

  /** Sends a reply unless its client was sent too many. */
  #give(query: DnsQuery, client: DnsClient, state: CookieState, flags: number, rcode: number): number {
    const verdict = this.#judge(query, client, state);
    if (verdict === 'send') return this.#finish(query, client, state, flags, rcode);
    this.#tally.limited(verdict);
    if (verdict === 'drop') return 0;
    this.#writer.truncate();
    if (state === 'none') return this.#finish(query, client, state, flags, rcode);
    // RFC 7873 §5.2.3, §5.2.4: who has cookies may come again with a good one
    this.#writer.clear();
    return this.#finish(query, client, state, 0, RCODE.BADCOOKIE);
  }

  #judge(query: DnsQuery, client: DnsClient, state: CookieState): 'send' | 'cut' | 'drop' {
    if (!this.#rateLimit || state === 'good' || client.idleTimeout !== undefined) return 'send';
    if (this.#settings.unlimited.has(client.address)) return 'send';
    return this.#rateLimit.judge(client.address, query.path.hash(0), this.#answerer);
  }

  #finish(query: DnsQuery, client: DnsClient, state: CookieState, flags: number, rcode: number): number {
    const writer = this.#writer;
    this.#tally.replied(rcode);
    writer.finish(query, flags, rcode);
    if (!query.edns) return writer.end;
    writer.countOpt();
    return this.#options.write(query, client, state, rcode, writer.bytes, writer.end);
  }

  /** The header alone, as the question can't be used. */
  #refuseUnread(bytes: Uint8Array, into: Buffer): number {
    const rcode = this.#query.header.opcode === OPCODE_QUERY ? RCODE.FORMERR : RCODE.NOTIMP;
    this.#tally.replied(rcode);
    into.fill(0, 0, HEADER);
    into[0] = bytes[0] ?? 0;
    into[1] = bytes[1] ?? 0;
    // QR set; opcode and RD as they came
    into[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
    into[3] = rcode;
    return HEADER;
  }

  #drop(reason: 'short' | 'response'): number {
    this.#tally.dropped(reason);
    return 0;
  }
}

function sealing(send: (reply: Uint8Array) => void, seal: (reply: Uint8Array) => Uint8Array): typeof send {
  return (reply) => send(seal(reply));
}

/** RFC 6891 §6.2.3: a size below 512 means 512. */
function replyLimit({ edns }: DnsQuery, { idleTimeout }: DnsClient, into: Buffer): number {
  if (idleTimeout !== undefined) return Math.min(LARGEST, into.length);
  const wanted = edns ? Math.min(Math.max(edns.udpSize, PLAIN_UDP), EDNS_UDP) : PLAIN_UDP;
  return Math.min(wanted, into.length);
}

/** TKEY, TSIG, MAILB and their like. OPT stands in no question either. */
function isMeta(type: number): boolean {
  return type === TYPE.OPT || (type >= FIRST_META && type < TYPE.ANY);
}

function isSameLimit(a: RateLimitSettings | undefined, b: RateLimitSettings | undefined): boolean {
  return a?.responses === b?.responses && a?.windowSeconds === b?.windowSeconds && a?.slip === b?.slip;
}
