import type { Ip4 } from '../../addr/ip4.ts';
import type { Clock } from '../../system/clock.ts';
import type { Loop } from '../../system/loop.ts';
import { nameKey, type NameKey } from '../../wire/dns/name.ts';
import type { DnsQuery } from '../../wire/dns/query.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { CLASS_IN, TYPE } from '../../wire/dns/record-type.ts';
import type { DnsResponse } from '../../wire/dns/response.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { AddressSet } from '../address-set.ts';
import type { DnsClient } from '../dns-client.ts';
import { noCounts, type ForwardCounts } from './forward-tally.ts';
import { LocalNames, localResponse } from './local-names.ts';
import { isSameWaiter, OpenQuestions, type OpenQuestion, type Overload } from './open-questions.ts';
import { Race, type Outcome } from './race.ts';
import { ReplyCache, slotOf, type CacheEntry, type CacheLevels, type Slot } from './reply-cache.ts';
import { bareReply, ReplyCompiler, type CompiledReply } from './reply-compiler.ts';
import type { Route, Routes } from './routes.ts';
import type { Question } from './upstream.ts';
import { EXTENDED, keepAsking, writeReply, type Age, type Asking } from './write-reply.ts';

/** Milliseconds until a client gets what has ended (RFC 8767 §5, client response timer). */
const STALE_AFTER = 1_800;
/** Seconds: the TTL of such an answer (RFC 8767 §4), and how long its upstreams are then let be (failure recheck timer). */
const STALE_TTL = 30;
const RECHECK = 30;
/** Seconds that a failure is kept, doubled for each that follows (RFC 9520 §3.2): short, as a rack should be well soon. */
const FIRST_FAILURE = 1;
const LONGEST_FAILURE = 8;
/** In the last tenth of its time a name that is asked for is fetched anew. */
const PREFETCH_SHARE = 10;
/** Asked for more than once since it came. */
const PREFETCH_USES = 1;
/** Nobody waits for these, so that they leave room for those somebody waits for. */
const MOST_PREFETCHES = 1_024;
const REPLY_ROOM = 65_535;
/** Of the header's second word. */
const CD = 0x10;

const FRESH: Age = { seconds: 0 };
const STALE: Age = { seconds: 0, staleTtl: STALE_TTL, extended: EXTENDED.staleAnswer };
const STALE_NO: Age = { seconds: 0, staleTtl: STALE_TTL, extended: EXTENDED.staleNxdomain };
const UNREACHABLE: Age = { seconds: 0, extended: EXTENDED.noReachableAuthority };
const FAILED_BEFORE: Age = { seconds: 0, extended: EXTENDED.cachedError };
const REFUSED = bareReply(RCODE.REFUSED);
const NOT_IMPLEMENTED = bareReply(RCODE.NOTIMP);
const SERVER_FAILURE = bareReply(RCODE.SERVFAIL);

/** One question in hand: read, and written, before the next. */
export interface Turn extends Asking {
  readonly query: DnsQuery;
  readonly client: DnsClient;
  /** Where a reply that is there at once goes; does not overlap the query. */
  readonly into: Buffer;
}

/** How and for whom it works; the Plan says so. */
export interface ForwardSettings {
  readonly routes: Routes;
  /** Addresses of all upstreams: who asks from there what is asked of it closes a loop. */
  readonly upstreamAddresses: ReadonlySet<Ip4>;
  /** Who may ask. */
  readonly clients: AddressSet;
  readonly cacheBytes: number;
  /** Seconds after its end that an answer may be given for want of a better one; 0: never. */
  readonly staleSeconds: number;
  readonly prefetch: boolean;
  readonly leastTtl: number;
  readonly mostTtl: number;
}

/** Asks upstreams for those who may ask, and keeps what they say. */
export class CachingForwarder {
  readonly counts: ForwardCounts = noCounts();
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #compiler = new ReplyCompiler();
  readonly #local = new LocalNames();
  readonly #open = new OpenQuestions();
  readonly #reply = Buffer.alloc(REPLY_ROOM);
  readonly #age = { seconds: 0 };
  readonly #any = anyReply();
  #settings: ForwardSettings;
  #cache: ReplyCache;

  constructor({ loop, clock }: { readonly loop: Loop; readonly clock: Clock }, settings: ForwardSettings) {
    this.#loop = loop;
    this.#clock = clock;
    this.#settings = settings;
    this.#cache = new ReplyCache(settings.cacheBytes);
  }

  /** New settings; what is kept stays, but when it came from other upstreams. */
  apply(settings: ForwardSettings, areUpstreamsOthers: boolean): void {
    const before = this.#settings;
    this.#settings = settings;
    if (areUpstreamsOthers || settings.cacheBytes !== before.cacheBytes)
      this.#cache = new ReplyCache(settings.cacheBytes);
    if (areUpstreamsOthers) for (const question of this.#open.all()) this.#askAgain(question);
  }

  get cacheLevels(): CacheLevels {
    return this.#cache.levels;
  }

  get questions(): number {
    return this.#open.size;
  }

  get waiting(): number {
    return this.#open.waiting;
  }

  ask(turn: Turn): number {
    const { query } = turn;
    // Never an open resolver, whoever forgot to look
    if (!this.#settings.clients.has(turn.client.address) || !query.header.recursionDesired) return this.#refuse(turn);
    if (query.class !== CLASS_IN) return this.#reject(turn);
    const slot = slotOf(query.type, query.edns?.dnssecOk === true, ((query.bytes[3] ?? 0) & CD) !== 0);
    const entry = this.#cache.find(query.path, slot);
    const now = this.#now();
    if (entry && now < entry.expiresAt) return this.#answerKept(turn, entry, now);
    return this.#answerOther(turn, query.key, slot, entry);
  }

  close(): void {
    for (const question of this.#open.all()) {
      question.abandon();
      this.#open.release(question);
      this.#close(question);
    }
  }

  #refuse(turn: Turn): number {
    this.counts.refused++;
    return writeReply(turn, REFUSED, FRESH, turn.into);
  }

  #reject(turn: Turn): number {
    this.counts.refused++;
    return writeReply(turn, NOT_IMPLEMENTED, FRESH, turn.into);
  }

  #answerKept(turn: Turn, entry: CacheEntry, now: number): number {
    if (entry.failures > 0) {
      this.counts.failedAgain++;
      return writeReply(turn, entry.reply, FAILED_BEFORE, turn.into);
    }
    this.counts.hits++;
    const isWanted = entry.uses >= PREFETCH_USES;
    this.#cache.use(entry);
    if (isWanted && (entry.expiresAt - now) * PREFETCH_SHARE <= entry.reply.ttl) this.#prefetch(entry, now);
    this.#age.seconds = now - entry.storedAt;
    return writeReply(turn, entry.reply, this.#age, turn.into);
  }

  #answerOther(turn: Turn, key: NameKey, slot: Slot, entry: CacheEntry | undefined): number {
    const { type } = turn.query;
    if (isMeta(type)) return this.#reject(turn);
    const route = this.#settings.routes.find(key);
    const zone = this.#local.zoneOf(key);
    if (zone !== undefined && !(route && route.domain.length >= zone.length)) {
      this.counts.local++;
      return writeReply(turn, this.#local.answer(key, type, zone), FRESH, turn.into);
    }
    if (!route) return this.#refuse(turn);
    // RFC 8482 §4.2: all that is known of a name is for nobody but attackers
    if (type === TYPE.ANY) return writeReply(turn, this.#any, FRESH, turn.into);
    const stale = entry && this.#isUsable(entry) ? entry : undefined;
    if (stale && this.#isPointless(stale, route)) {
      if (this.#now() >= stale.recheckAt) this.#refresh(stale, route);
      return this.#answerStale(turn, stale);
    }
    return this.#wait(turn, key, slot, route, stale);
  }

  /** An answer that has ended, and may be given all the same. */
  #isUsable(entry: CacheEntry): boolean {
    return entry.failures === 0 && this.#now() < entry.expiresAt + this.#settings.staleSeconds;
  }

  /** Who waits would wait in vain: RFC 8767 §5 lets the client have the stale answer at once. */
  #isPointless(entry: CacheEntry, { group }: Route): boolean {
    if (group.isDown) return true;
    const failedAt = entry.recheckAt - RECHECK;
    return this.#now() < entry.recheckAt && group.recoveredAt < failedAt * 1000;
  }

  #answerStale(turn: Turn, entry: CacheEntry): number {
    this.counts.stale++;
    return writeReply(turn, entry.reply, entry.reply.rcode === RCODE.NXDOMAIN ? STALE_NO : STALE, turn.into);
  }

  #wait(turn: Turn, key: NameKey, slot: Slot, route: Route, stale: CacheEntry | undefined): number {
    const { client } = turn;
    const open = this.#open.find(key, slot);
    if (open?.waiters.some((waiter) => isSameWaiter(waiter, client, turn.bytes))) {
      this.counts.repeated++;
      return 0;
    }
    if (open && this.#settings.upstreamAddresses.has(client.address)) {
      this.counts.loops++;
      return writeReply(turn, SERVER_FAILURE, FRESH, turn.into);
    }
    const overload = this.#open.clientOverload(client) ?? (open ? undefined : this.#open.overload(key));
    if (overload) return this.#turnAway(turn, overload, stale);
    if (open) this.counts.joined++;
    else this.counts.misses++;
    const question = open ?? this.#open.open(key, slot);
    const { address, port } = client;
    this.#open.wait(question, { address, port, asking: keepAsking(turn), reply: client.later() });
    if (stale) this.#giveStaleLater(question);
    // Last, as it may have its end at once
    if (!open) this.#race(question, route);
    return 0;
  }

  #turnAway(turn: Turn, overload: Overload, stale: CacheEntry | undefined): number {
    if (overload === 'questions') this.counts.overloadQuestions++;
    else if (overload === 'client') this.counts.overloadClient++;
    else this.counts.overloadDomain++;
    return stale ? this.#answerStale(turn, stale) : writeReply(turn, SERVER_FAILURE, FRESH, turn.into);
  }

  #giveStaleLater(question: OpenQuestion): void {
    question.stale ??= this.#loop.after(STALE_AFTER, () => {
      const entry = this.#cache.get(question.key, question.slot);
      if (!entry || !this.#isUsable(entry)) return;
      // Who asks while this goes on need not wait as long
      entry.recheckAt = this.#now() + RECHECK;
      this.#tellStale(question, entry);
    });
  }

  #race(question: OpenQuestion, { group }: Route): void {
    const race = new Race(this.#loop, questionOf(question), group, (outcome) => {
      this.#close(question);
      this.#land(question, outcome);
    });
    question.abandon = () => race.abandon();
    race.start();
  }

  #close(question: OpenQuestion): void {
    question.stale?.cancel();
    this.#open.close(question);
  }

  /** The upstreams are others now: those before will not be heard. */
  #askAgain(question: OpenQuestion): void {
    question.abandon();
    const route = this.#settings.routes.find(question.key);
    if (route) return this.#race(question, route);
    this.#close(question);
    this.#tell(question, REFUSED, FRESH);
  }

  #prefetch(entry: CacheEntry, now: number): void {
    if (!this.#settings.prefetch || entry.isRefreshing || now < entry.recheckAt) return;
    const route = this.#settings.routes.find(entry.key);
    if (!route || route.group.isDown) return;
    this.counts.prefetched++;
    this.#refresh(entry, route);
  }

  /** Asks anew for what is kept; nobody waits for it. */
  #refresh(entry: CacheEntry, route: Route): void {
    if (this.#open.size >= MOST_PREFETCHES || this.#open.find(entry.key, entry.slot)) return;
    entry.isRefreshing = true;
    this.#race(this.#open.open(entry.key, entry.slot), route);
  }

  #land(question: OpenQuestion, outcome: Outcome): void {
    const reply = outcome.kind === 'answer' ? this.#compile(question, outcome.response, outcome.isTrusted) : undefined;
    if (!reply) return this.#landFailure(question, outcome.kind === 'unreachable' ? UNREACHABLE : FRESH);
    if (reply.ttl > 0) this.#cache.put(question.key, question.slot, reply, this.#now());
    else this.#forget(question);
    this.#tell(question, reply, FRESH);
  }

  #compile(question: OpenQuestion, response: DnsResponse, isTrusted: boolean): CompiledReply | undefined {
    const { leastTtl: least, mostTtl: most } = this.#settings;
    try {
      return this.#compiler.compile(questionOf(question), response, isTrusted, { least, most });
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  /** What is true for this moment only goes before what was true once. */
  #forget({ key, slot }: OpenQuestion): void {
    const before = this.#cache.get(key, slot);
    if (before) this.#cache.remove(before);
  }

  #landFailure(question: OpenQuestion, age: Age): void {
    this.counts.failed++;
    const now = this.#now();
    const entry = this.#cache.get(question.key, question.slot);
    if (entry && (now < entry.expiresAt || this.#isUsable(entry))) {
      entry.isRefreshing = false;
      entry.recheckAt = now + RECHECK;
      return this.#tellStale(question, entry);
    }
    this.#keepFailure(question, (entry?.failures ?? 0) + 1);
    this.#tell(question, SERVER_FAILURE, age);
  }

  /** RFC 9520 §3.2: so that a name that can't be had is not asked for as often as it is wanted. */
  #keepFailure({ key, slot }: OpenQuestion, failures: number): void {
    const ttl = Math.min(FIRST_FAILURE * 2 ** (failures - 1), LONGEST_FAILURE);
    const entry = this.#cache.put(key, slot, bareReply(RCODE.SERVFAIL, ttl), this.#now());
    if (entry) entry.failures = failures;
  }

  #tellStale(question: OpenQuestion, entry: CacheEntry): void {
    const age = entry.reply.rcode === RCODE.NXDOMAIN ? STALE_NO : STALE;
    this.counts.stale += question.waiters.length;
    this.#tell(question, entry.reply, age);
  }

  #tell(question: OpenQuestion, reply: CompiledReply, age: Age): void {
    for (const waiter of this.#open.release(question)) {
      const length = writeReply(waiter.asking, reply, age, this.#reply);
      waiter.reply(this.#reply.subarray(0, length));
    }
  }

  /** Whole seconds, which small integers hold. */
  #now(): number {
    return Math.floor(this.#clock.monotonic() / 1000);
  }
}

function questionOf({ key, slot }: { readonly key: NameKey; readonly slot: Slot }): Question {
  return { key, type: slot >>> 2, dnssecOk: (slot & 2) !== 0, checkingDisabled: (slot & 1) !== 0 };
}

/** Questions about the question, and those that need a stream to a zone's own server (RFC 6895 §3.1). */
function isMeta(type: number): boolean {
  return type === TYPE.OPT || type === 0 || (type >= 128 && type < TYPE.ANY);
}

/** RFC 8482 §4.2. */
function anyReply(): CompiledReply {
  // Any name will do: it is pointed at
  const key = nameKey('any');
  const answers = [{ owner: key, type: TYPE.HINFO, ttl: 3600, data: '\x07RFC8482\0' }];
  const response = localResponse(RCODE.NOERROR, answers, []);
  const asked = { key, type: TYPE.HINFO, dnssecOk: false };
  return new ReplyCompiler().compile(asked, response, false, { least: 0, most: 3600 });
}
