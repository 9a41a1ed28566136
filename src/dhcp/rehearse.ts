import { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import type { Inbound, LinkDestination, Outbound } from '../system/datagram.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import { askedOf, decide, type Asked } from './decide.ts';
import type { Decision, Exchange } from './exchange.ts';
import { Intake } from './intake.ts';
import { openAddresses } from './open-addresses.ts';
import { OptionLayers } from './option-layers.ts';
import { outcomeOf } from './outcome.ts';
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

interface Performance {
  /** The exchange on the subnet that was chosen in the end. */
  readonly on: Exchange;
  readonly decision: Decision;
  readonly reply?: DhcpReply;
  readonly sent?: SentReply;
}

/** The service's own way from datagram to reply, on leases in memory: nothing outside is changed. */
export function rehearse(
  plan: Plan,
  { leases, lastWrite }: KnownLeases,
  { datagram, handle }: { readonly datagram: Inbound; readonly handle: SocketHandle },
  clock: Clock,
): Rehearsal {
  const steady = new SteadyClock(clock);
  const book = new LeaseBook({ lastWrite, load: () => [...leases], write: () => {}, close: () => {} });
  const ground = { addresses: openAddresses(plan, book, steady), optionLayers: new OptionLayers(plan) };
  let reason: string | undefined;
  const events = { emit: (body: object) => void (reason ??= 'reason' in body ? String(body.reason) : undefined) };
  const first = new Intake({ tally: new Tally(), events, clock: steady }).read(datagram, handle, ground);
  const asked = first && askedOf(first.packet);
  if (!first || !asked) return { kind: 'unheard', ...(reason !== undefined && { reason }) };
  return { kind: 'heard', asked, first, ...perform(plan, first, asked, handle) };
}

function perform(plan: Plan, first: Exchange, asked: Asked, handle: SocketHandle): Performance {
  const { on, decision } = decide(first, asked);
  const reply = decision.kind === 'exhausted' ? undefined : outcomeOf(plan, on, decision).reply;
  return { on, decision, ...(reply && { reply, sent: sendOf(reply, on, handle) }) };
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
