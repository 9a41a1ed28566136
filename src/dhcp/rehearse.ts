import { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import type { LinkDestination, Outbound } from '../system/datagram.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import type { EventBody } from '../timeline/event.ts';
import { askedOf, whyNotAsked, type Asked } from './asked.ts';
import { decide } from './decide.ts';
import type { Decision, Exchange } from './exchange.ts';
import { Intake, type Ground, type Heard } from './intake.ts';
import { openAddresses } from './open-addresses.ts';
import type { LeaseNews } from './lease-news.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { readPlan } from './plan-reading.ts';
import { isProxied, Proxy } from './proxy.ts';
import type { DhcpReply } from './reply.ts';
import { ReplySender } from './reply-sender.ts';

/** The leases a rehearsal starts from. */
export interface KnownLeases {
  readonly leases: readonly Lease[];
  /** Unix seconds. */
  readonly lastWrite?: number | undefined;
}

/** A reply as it would go out. */
export interface SentReply {
  readonly bytes: Uint8Array;
  /** `link`: to the hardware address, past ARP. */
  readonly way: ({ readonly kind: 'link' } & LinkDestination) | ({ readonly kind: 'udp' } & Outbound);
  readonly isWhole: boolean;
}

/** What the service would make of one datagram. */
export type Rehearsal =
  /** `reason` is absent where it would not say a word either. */
  | { readonly kind: 'unheard'; readonly reason?: string }
  | ({ readonly kind: 'heard'; readonly asked: Asked; readonly first: Exchange } & Performance);

/** `proxied`: it is told what to boot, and gets its address from another server. */
export type Rehearsed = Exclude<Decision, { kind: 'probing' }> | { readonly kind: 'proxied' };

interface Performance {
  /** The exchange on the subnet that was chosen in the end. */
  readonly on: Exchange;
  readonly decision: Rehearsed;
  readonly reply?: DhcpReply;
  readonly sent?: SentReply;
}

/** The service's own way from datagram to reply, on leases in memory: nothing outside is changed. */
export function rehearse(plan: Plan, known: KnownLeases, heard: Heard, clock: Clock): Rehearsal {
  return new Rehearser(plan, known, clock).rehearse(heard);
}

/** The same for one datagram after another: each meets the leases that those before it were given. */
export class Rehearser {
  readonly #plan: Plan;
  readonly #clock: SteadyClock;
  readonly #ground: Ground;
  readonly #news = new Listener();
  readonly #intake: Intake;
  readonly #proxy: Proxy;

  constructor(plan: Plan, { leases, lastWrite }: KnownLeases, clock: Clock) {
    const book = new LeaseBook({ lastWrite, load: () => [...leases], write: () => {}, close: () => {} });
    this.#plan = plan;
    this.#clock = new SteadyClock(clock);
    this.#ground = {
      addresses: openAddresses(plan, book, this.#clock),
      ...readPlan(plan),
      // Nobody is asked on the wire
      conflicts: { clears: () => true },
    };
    const tools = { tally: new Tally(), events: this.#news, clock: this.#clock };
    this.#intake = new Intake(tools);
    this.#proxy = new Proxy(tools);
  }

  rehearse(heard: Heard): Rehearsal {
    const { datagram, handle } = heard;
    this.#news.reason = undefined;
    this.#ground.addresses.sweep();
    const first = this.#intake.read(datagram, handle, this.#ground);
    const asked = first && askedOf(first.packet);
    if (!first || !asked) {
      const reason = first ? whyNotAsked(first.packet) : this.#news.reason;
      return { kind: 'unheard', ...(reason !== undefined && { reason }) };
    }
    const rehearsed = { kind: 'heard', asked, first } as const;
    if (isProxied(first, handle.port)) {
      const outcome = this.#proxy.serve(this.#plan, first, asked, heard);
      return { ...rehearsed, ...performProxied(first, handle, outcome) };
    }
    const performed = perform(this.#plan, first, asked, handle);
    this.#ground.addresses.commit();
    return { ...rehearsed, ...performed };
  }
}

/** Hears why something is refused, and nothing else. */
class Listener implements LeaseNews {
  reason: string | undefined;

  emit(body: EventBody): void {
    this.reason ??= 'reason' in body ? body.reason : undefined;
  }

  wants(): boolean {
    return true;
  }

  leaseBound(): void {}

  leaseEnded(): void {}
}

function perform(plan: Plan, first: Exchange, asked: Asked, handle: SocketHandle): Performance {
  const { on, decision } = decide(first, asked);
  if (decision.kind === 'probing') throw new Error('every address is clear here');
  const reply = decision.kind === 'exhausted' ? undefined : outcomeOf(plan, on, decision).reply;
  return { on, decision, ...(reply && { reply, sent: sendOf(reply, on, handle) }) };
}

function performProxied(on: Exchange, handle: SocketHandle, outcome: Outcome | undefined): Performance {
  const reply = outcome?.reply;
  if (reply) return { on, decision: { kind: 'proxied' }, reply, sent: sendOf(reply, on, handle) };
  const told = outcome && 'reason' in outcome.event ? outcome.event.reason : undefined;
  const reason = told ?? "the address here is another server's to give, and it does not ask what to boot";
  return { on, decision: { kind: 'silence', reason } };
}

function sendOf(reply: DhcpReply, on: Exchange, handle: SocketHandle): SentReply {
  let sent: Omit<SentReply, 'isWhole'> = {
    bytes: new Uint8Array(0),
    way: { kind: 'udp', address: reply.yiaddr, port: 0 },
  };
  const nothing = { flush: () => 0, close: () => {} };
  const isWhole = new ReplySender().send(reply, on, {
    handle,
    socket: {
      ...nothing,
      receive: () => 0,
      send: (bytes, to) => void (sent = { bytes: bytes.slice(), way: { kind: 'udp', ...to } }),
    },
    link: { ...nothing, send: (bytes, to) => void (sent = { bytes: bytes.slice(), way: { kind: 'link', ...to } }) },
  });
  return { ...sent, isWhole };
}
