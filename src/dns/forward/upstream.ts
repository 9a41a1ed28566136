import type { Clock } from '../../system/clock.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import type { RandomBits } from '../../system/random-bits.ts';
import { encodeQuestion } from '../../wire/dns/encode-question.ts';
import type { NameKey } from '../../wire/dns/name.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import { readResponse, type DnsResponse, type ResponseHead } from '../../wire/dns/response.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { DatagramExchange, Exchange, ExchangeWatcher, Repeat, Told } from './exchange.ts';
import { Health } from './health.ts';
import { mixCase } from './mix-case.ts';

/** Milliseconds that an answer by UDP is waited for; racing begins long before. */
const UDP_WAIT = 2_000;
/** From when it was sent once more: what is asked may take a server long to find out. */
const REPEATED_WAIT = 4_000;
/** With the connection to be made. */
const STREAM_WAIT = 4_000;
/** Milliseconds between looks at an upstream that was given up: doubled each time. */
const FIRST_PROBE = 1_000;
const LONGEST_PROBE = 30_000;
/** Wrong answers within `WATCHED` from which on somebody may be guessing. */
const MANY_WRONG = 20;
const WATCHED = 10_000;
/** So long it is then asked by TCP where that reaches it. */
const ON_GUARD = 60_000;
/** Milliseconds that TCP has to show that it does. */
const TRIAL_WAIT = 1_000;
/** Where it does not, it is tried again after so long. */
const NO_STREAMS = 10_000;
/** What a server can't do, it may have learned after so long. */
const RELEARN = 3_600_000;
/** Answers in a row with the right question in wrong letters from which on a server is known not to keep them. */
const MANY_RESPELLED = 3;

/** What an upstream is asked. */
export interface Question {
  readonly key: NameKey;
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

/** What an upstream made of it. */
export type Answer =
  | { readonly kind: 'answer'; readonly response: DnsResponse; readonly isTrusted: boolean }
  /** It said something of no use: it failed itself, or does not want to. */
  | { readonly kind: 'unwilling' }
  | { readonly kind: 'silent' | 'unreachable' };

/** What an upstream counts. */
export interface UpstreamCounts {
  sent: number;
  answered: number;
  /** No answer in time. */
  timeouts: number;
  /** Nobody there, connections that broke. */
  unreachable: number;
  /** Answers that fit no question. */
  wrong: number;
  /** Answers with the question in other letters. */
  respelled: number;
  /** Answers that can't be read. */
  malformed: number;
  /** SERVFAIL, REFUSED and the like. */
  unwilling: number;
  /** Questions by TCP or TLS. */
  streamed: number;
}

export interface UpstreamDependencies {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly random: RandomBits;
  /** Absent: streams only. */
  readonly datagrams?: (watcher: ExchangeWatcher) => DatagramExchange;
  readonly streams: (watcher: ExchangeWatcher) => Exchange;
  /** The stream is TLS with a name that is checked: what it says of DNSSEC is believed. */
  readonly isTrusted: boolean;
  readonly onDown: (upstream: Upstream, reason: string) => void;
  readonly onUp: (upstream: Upstream, downMilliseconds: number) => void;
  /** Somebody seems to guess at answers. */
  readonly onForgery: (upstream: Upstream) => void;
}

/** One server that is asked: how it is to be spoken to, and how it does. */
export class Upstream {
  readonly name: string;
  readonly health = new Health();
  readonly counts: UpstreamCounts = {
    sent: 0,
    answered: 0,
    timeouts: 0,
    unreachable: 0,
    wrong: 0,
    respelled: 0,
    malformed: 0,
    unwilling: 0,
    streamed: 0,
  };
  readonly #dependencies: UpstreamDependencies;
  readonly #datagrams: DatagramExchange | undefined;
  /** Each from a port of its own. */
  readonly #alone: Exchange | undefined;
  readonly #streams: Exchange;
  /** What it is asked to see whether it lives. */
  readonly #probed: NameKey;
  /** Until when, in the clock's milliseconds, it is not asked so. */
  #noEdnsUntil = -Infinity;
  #noMixUntil = -Infinity;
  #onGuardUntil = -Infinity;
  #noStreamsUntil = -Infinity;
  /** When last something came by stream. */
  #streamedAt = -Infinity;
  /** What it is asked by stream just now. */
  readonly #streaming = new Set<Question>();
  /** What it is asked by UDP just now. */
  readonly #repeats = new Map<Question, Repeat>();
  #respelledInRow = 0;
  #wrongSince = -Infinity;
  #wrongLately = 0;
  #probe: Timer | undefined;
  #probeDelay = FIRST_PROBE;
  /** It is being looked at whether it is dead. */
  #isLooking = false;

  constructor(name: string, probed: NameKey, dependencies: UpstreamDependencies) {
    this.name = name;
    this.#probed = probed;
    this.#dependencies = dependencies;
    const watcher: ExchangeWatcher = { wrong: () => this.#countWrong(), late: () => this.#heard() };
    const datagrams = dependencies.datagrams?.(watcher);
    this.#datagrams = datagrams;
    this.#alone = datagrams && {
      ask: (message, within, take) => datagrams.askAlone(message, within, take),
      close: () => datagrams.close(),
    };
    this.#streams = dependencies.streams(watcher);
  }

  /** Asks it; calls `take` once, perhaps before it returns. */
  ask(question: Question, take: (answer: Answer) => void): void {
    const [datagrams, alone] = [this.#datagrams, this.#alone];
    if (!datagrams || !alone) this.#askByStream(question, STREAM_WAIT, take);
    else if (this.#now() >= this.#onGuardUntil) this.#askByDatagram(datagrams, question, take);
    else if (this.#now() >= this.#noStreamsUntil) this.#askOnGuard(alone, question, take);
    else this.#askByDatagram(alone, question, take);
  }

  /** A firewall may let only UDP through: twenty forged packets must not cut us off. */
  #askOnGuard(alone: Exchange, question: Question, take: (answer: Answer) => void): void {
    const isProven = this.#now() - this.#streamedAt < ON_GUARD;
    this.#askByStream(question, isProven ? STREAM_WAIT : TRIAL_WAIT, (answer) => {
      const hasFailed = answer.kind === 'unreachable' || (answer.kind === 'silent' && !isProven);
      if (!hasFailed) return take(answer);
      this.#noStreamsUntil = this.#now() + NO_STREAMS;
      this.#askByDatagram(alone, question, take);
    });
  }

  /**
   * Asks once more what has no answer yet, by UDP: with the same id from the same port, as each other would be one more
   * that a guess can hit (RFC 5452 §5). False when nothing is asked so.
   */
  repeat(question: Question): boolean {
    const repeat = this.#repeats.get(question);
    if (!repeat) return false;
    this.counts.sent++;
    repeat(REPEATED_WAIT);
    this.#doubt();
    return true;
  }

  /** A stream loses nothing: there is no sense in asking twice. */
  isStreaming(question: Question): boolean {
    return this.#streaming.has(question);
  }

  close(): void {
    this.#probe?.cancel();
    this.#repeats.clear();
    this.#datagrams?.close();
    this.#streams.close();
  }

  #askByDatagram(datagrams: Exchange, question: Question, take: (answer: Answer) => void): void {
    const edns = this.#now() >= this.#noEdnsUntil;
    const isMixed = this.#now() >= this.#noMixUntil;
    let isOpen = true;
    const repeat = this.#exchange(datagrams, this.#encode(question, edns, isMixed), UDP_WAIT, (heard) => {
      isOpen = false;
      this.#repeats.delete(question);
      if (typeof heard === 'string') return take({ kind: heard });
      const { response, isSpelled } = heard;
      if (isMixed && response.question) this.#countSpelling(isSpelled);
      // A stream can't be forged from afar: its letters need no proof
      if (!isSpelled || response.truncated) return this.#askByStream(question, STREAM_WAIT, take);
      if (edns && isAgainstEdns(response)) return this.#askByDatagramWithoutEdns(datagrams, question, response, take);
      this.#judge(response, take);
    });
    if (isOpen) this.#repeats.set(question, repeat);
  }

  #askByStream(question: Question, wait: number, take: (answer: Answer) => void): void {
    const edns = this.#now() >= this.#noEdnsUntil;
    this.counts.streamed++;
    this.#streaming.add(question);
    const end = (answer: Answer): void => {
      this.#streaming.delete(question);
      take(answer);
    };
    this.#exchange(this.#streams, this.#encode(question, edns, false), wait, (heard) => {
      if (typeof heard === 'string') return end({ kind: heard });
      if (edns && isAgainstEdns(heard.response)) return this.#askByStreamWithoutEdns(question, end);
      this.#judge(heard.response, end);
    });
  }

  /** RFC 6891 §7: a server of before EDNS may say FORMERR or NOTIMP to it. */
  #askByDatagramWithoutEdns(
    datagrams: Exchange,
    question: Question,
    against: DnsResponse,
    take: (answer: Answer) => void,
  ): void {
    const isMixed = this.#now() >= this.#noMixUntil;
    this.#exchange(datagrams, this.#encode(question, false, isMixed), UDP_WAIT, (heard) => {
      if (typeof heard === 'string') return take({ kind: heard });
      const { response, isSpelled } = heard;
      if (!isSpelled || response.truncated) return this.#askByStream(question, STREAM_WAIT, take);
      // A header alone has not our letters: by a guess at it DNSSEC would be gone for all that is asked
      if (against.question && !isAgainstEdns(response)) this.#noEdnsUntil = this.#now() + RELEARN;
      this.#judge(response, take);
    });
  }

  #askByStreamWithoutEdns(question: Question, take: (answer: Answer) => void): void {
    this.#exchange(this.#streams, this.#encode(question, false, false), STREAM_WAIT, (heard) => {
      if (typeof heard === 'string') return take({ kind: heard });
      if (!isAgainstEdns(heard.response)) this.#noEdnsUntil = this.#now() + RELEARN;
      this.#judge(heard.response, take);
    });
  }

  /** Sends, counts and measures; hands over what came, or how nothing did. */
  #exchange(exchange: Exchange, message: Buffer, wait: number, take: (heard: Heard | Nothing) => void): Repeat {
    const sentAt = this.#now();
    this.counts.sent++;
    return exchange.ask(message, wait, (told) => {
      if (told.kind === 'busy') return take('unwilling');
      if (told.kind !== 'reply') {
        this.#missed(told, exchange);
        return take(told.kind);
      }
      this.counts.answered++;
      if (exchange === this.#streams) this.#streamedAt = this.#now();
      this.#heard(this.#now() - sentAt);
      const response = this.#read(told);
      take(response ? { response, isSpelled: told.isSpelled } : 'unwilling');
    });
  }

  #read({ head, bytes, isSpelled }: Extract<Told, { kind: 'reply' }>): DnsResponse | undefined {
    // Of what is cut off, or not believed, only the head counts
    if (head.truncated || !isSpelled) return withoutRecords(head);
    try {
      return readResponse(bytes, head);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counts.malformed++;
      return undefined;
    }
  }

  #judge(response: DnsResponse, take: (answer: Answer) => void): void {
    // Cut off on a stream, where all has room
    const isUseful = USEFUL.has(response.extendedRcode) && !response.truncated;
    this.health.judged(isUseful);
    if (!isUseful) this.counts.unwilling++;
    take(isUseful ? { kind: 'answer', response, isTrusted: this.#dependencies.isTrusted } : { kind: 'unwilling' });
  }

  #encode(question: Question, edns: boolean, isMixed: boolean): Buffer {
    return encodeQuestion({
      name: isMixed ? mixCase(question.key, this.#dependencies.random) : question.key,
      type: question.type,
      edns,
      dnssecOk: question.dnssecOk,
      checkingDisabled: question.checkingDisabled,
      authenticData: this.#dependencies.isTrusted,
    });
  }

  #heard(roundTrip?: number): void {
    const { downSince } = this.health;
    if (!this.health.heard(this.#now(), roundTrip)) return;
    this.#probe?.cancel();
    this.#probeDelay = FIRST_PROBE;
    this.#dependencies.onUp(this, this.#now() - (downSince ?? this.#now()));
  }

  #missed(told: Exclude<Told, { kind: 'reply' | 'busy' }>, exchange: Exchange): void {
    const isCertain = told.kind === 'unreachable';
    if (isCertain) this.counts.unreachable++;
    else this.counts.timeouts++;
    // It may let UDP through alone
    if (exchange === this.#streams && this.#datagrams) return;
    if (!isCertain) this.#doubt();
    else if (this.health.missed(this.#now(), true)) this.#giveUp(told.reason);
  }

  /** Nothing came: before it is given up, it is asked for what it must know. One domain may have dead servers. */
  #doubt(): void {
    if (!this.health.missed(this.#now(), false) || this.#isLooking) return;
    this.#isLooking = true;
    this.ask(this.#sign(), ({ kind }) => {
      this.#isLooking = false;
      if (kind === 'silent' && this.health.isUp && this.health.isDoubtful(this.#now())) this.#giveUp('no answer');
    });
  }

  #giveUp(reason: string): void {
    this.health.giveUp(this.#now());
    this.#dependencies.onDown(this, reason);
    this.#probeLater();
  }

  /** What is asked to see whether it lives: any answer at all is a sign. */
  #sign(): Question {
    return { key: this.#probed, type: TYPE.NS, dnssecOk: false, checkingDisabled: false };
  }

  #probeLater(): void {
    this.#probe = this.#dependencies.loop.after(this.#probeDelay, () => {
      this.#probeDelay = Math.min(2 * this.#probeDelay, LONGEST_PROBE);
      this.ask(this.#sign(), () => {
        if (!this.health.isUp) this.#probeLater();
      });
    });
  }

  /** Guesses come in swarms (RFC 5452 §9.3 and the like); a broken server is asked by TCP as well. */
  #countWrong(): void {
    const now = this.#now();
    this.counts.wrong++;
    if (now - this.#wrongSince > WATCHED) {
      this.#wrongSince = now;
      this.#wrongLately = 0;
    }
    this.#wrongLately++;
    if (this.#wrongLately < MANY_WRONG || !this.#datagrams) return;
    const isNews = now >= this.#onGuardUntil;
    this.#onGuardUntil = now + ON_GUARD;
    if (isNews) this.#dependencies.onForgery(this);
  }

  #countSpelling(isSpelled: boolean): void {
    this.#respelledInRow = isSpelled ? 0 : this.#respelledInRow + 1;
    if (!isSpelled) this.counts.respelled++;
    if (this.#respelledInRow >= MANY_RESPELLED) this.#noMixUntil = this.#now() + RELEARN;
  }

  #now(): number {
    return this.#dependencies.clock.monotonic();
  }
}

/** What says something of the name. Of all others another upstream may know more. */
const USEFUL: ReadonlySet<number> = new Set([RCODE.NOERROR, RCODE.NXDOMAIN, RCODE.YXDOMAIN]);

/** Silence, nobody there, or an answer that can't be read, or no room to ask. */
type Nothing = 'silent' | 'unreachable' | 'unwilling';

/** A response to our question, and whether it was in our letters. */
interface Heard {
  readonly response: DnsResponse;
  readonly isSpelled: boolean;
}

function withoutRecords(head: ResponseHead): DnsResponse {
  return { ...head, extendedRcode: head.rcode, hasEdns: false, answers: [], authorities: [] };
}

function isAgainstEdns({ rcode, hasEdns }: DnsResponse): boolean {
  return !hasEdns && (rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP);
}
