import { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import type { LinkDestination, Outbound } from '../system/datagram.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import type { EventBody } from '../timeline/event.ts';
import { askedOf, type Asked } from './asked.ts';
import { decide } from './decide.ts';
import type { Decision, Exchange } from './exchange.ts';
import { Intake, type Heard } from './intake.ts';
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
export function rehearse(plan: Plan, { leases, lastWrite }: KnownLeases, heard: Heard, clock: Clock): Rehearsal {
  const { datagram, handle } = heard;
  const steady = new SteadyClock(clock);
  const book = new LeaseBook({ lastWrite, load: () => [...leases], write: () => {}, close: () => {} });
  const ground = {
    addresses: openAddresses(plan, book, steady),
    ...readPlan(plan),
    // Nobody is asked on the wire
    conflicts: { clears: () => true },
  };
  const news = new Listener();
  const first = new Intake({ tally: new Tally(), events: news, clock: steady }).read(datagram, handle, ground);
  const asked = first && askedOf(first.packet);
  if (!first || !asked) return { kind: 'unheard', ...(news.reason !== undefined && { reason: news.reason }) };
  const rehearsed = { kind: 'heard', asked, first } as const;
  if (!isProxied(first, handle.port)) return { ...rehearsed, ...perform(plan, first, asked, handle) };
  const proxy = new Proxy({ tally: new Tally(), events: news, clock: steady });
  const outcome = proxy.serve(plan, first, asked, heard);
  return { ...rehearsed, ...performProxied(first, handle, outcome) };
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
