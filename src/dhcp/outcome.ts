import type { Ip4 } from '../addr/ip4.ts';
import { bootOffer, type BootOffer } from '../boot/boot-offer.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import type { EventBody } from '../timeline/event.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { askedOf, type Asked } from './asked.ts';
import { bootpReply } from './bootp.ts';
import { withRapidCommit } from './discover.ts';
import type { Decision, Exchange } from './exchange.ts';
import { informReply } from './inform.ts';
import { hasEnd } from './lease-fact.ts';
import { grantReply, nakReply, type DhcpReply, type Grant } from './reply.ts';

/** A reply decided on, and what is to be said about it: neither leaves before the batch is on disk. */
export interface Outcome {
  readonly reply?: DhcpReply;
  /** It stands on what this batch writes: without the commit it did not happen. */
  readonly isWritten?: boolean;
  /** The lease it promises. */
  readonly lease?: Lease;
  /** The address whose lease it ends. */
  readonly ended?: Ip4;
  readonly event: EventBody;
  readonly address?: Ip4;
}

/** A decision that comes to a reply or an event by itself. */
type Settled = Exclude<Decision, { kind: 'exhausted' | 'probing' }>;

/** Writes the reply a decision comes to, and says what happened. */
export function outcomeOf(plan: Plan, exchange: Exchange, decision: Settled): Outcome {
  switch (decision.kind) {
    case 'offer':
      return offered(plan, exchange, decision.address);
    case 'ack':
      return acknowledged(plan, exchange, decision);
    case 'nak':
      return { reply: nakReply(exchange, decision.reason), event: { kind: 'dhcp.nak', reason: decision.reason } };
    case 'informed':
      return informed(plan, exchange, decision.address);
    case 'released':
      return { ...ending(decision.address, !decision.kept), event: { kind: 'dhcp.release' } };
    case 'declined': {
      const { address, disbelief: reason } = decision;
      return { ...ending(address, true), event: { kind: 'dhcp.decline', ...(reason === undefined ? {} : { reason }) } };
    }
    case 'silence': {
      const { reason, server } = decision;
      return {
        event: { kind: 'dhcp.ignored', reason, ...(server === undefined ? {} : { server }), ...wishOf(exchange) },
      };
    }
  }
}

function offered(plan: Plan, exchange: Exchange, address: Ip4): Outcome {
  const boot = bootOfferFor(plan, exchange);
  const name = exchange.addresses.nameFor(exchange.client, exchange.served);
  const { leaseSeconds } = exchange.served.subnet;
  return {
    address,
    reply: grantReply(exchange, { type: MessageType.offer, address, name, boot }),
    event: { kind: 'dhcp.offer', leaseSeconds, ...bootFileOf(boot) },
  };
}

function acknowledged(plan: Plan, exchange: Exchange, { lease, answers }: Extract<Decision, { kind: 'ack' }>): Outcome {
  const boot = bootOfferFor(plan, exchange);
  const { address, name } = lease;
  return {
    address,
    lease,
    isWritten: true,
    reply: replyTo(answers, exchange, { address, name, boot }),
    event: {
      kind: 'dhcp.ack',
      ...(hasEnd(lease) ? { expires: lease.expires } : {}),
      ...(name === undefined ? {} : { name }),
      ...bootFileOf(boot),
    },
  };
}

function replyTo(
  answers: 'bootp' | 'rapid-commit' | undefined,
  exchange: Exchange,
  grant: Omit<Grant, 'type'>,
): DhcpReply {
  if (answers === 'bootp') return bootpReply(exchange, grant);
  const reply = grantReply(exchange, { ...grant, type: MessageType.ack });
  return answers === 'rapid-commit' ? withRapidCommit(reply) : reply;
}

function informed(plan: Plan, exchange: Exchange, address: Ip4): Outcome {
  const boot = bootOfferFor(plan, exchange);
  const name = exchange.addresses.nameFor(exchange.client, exchange.served);
  return {
    address,
    reply: informReply(exchange, { address, name, boot }),
    event: { kind: 'dhcp.inform', ...bootFileOf(boot) },
  };
}

/** Silence to whoever asks for an address is another matter than silence to one that has one. */
function wishOf({ packet }: Exchange): { asked?: Exclude<Asked, 'discover' | 'bootp'> } {
  const asked = askedOf(packet);
  return asked === undefined || asked === 'discover' || asked === 'bootp' ? {} : { asked };
}

function ending(address: Ip4, ends: boolean): Pick<Outcome, 'isWritten' | 'address' | 'ended'> {
  return { isWritten: true, address, ...(ends ? { ended: address } : {}) };
}

/** What this client is to fetch first, as the file's loaders and switches for it have it. */
export function bootOfferFor(plan: Plan, exchange: Exchange): BootOffer {
  const { client, packet, addresses, quirkSwitches, rackAddress } = exchange;
  const wishes = quirkSwitches.isEmpty ? undefined : quirkSwitches.bootWishes(client, packet, addresses.host(client));
  return bootOffer(plan, client.boot, rackAddress, wishes);
}

export function bootFileOf(boot: BootOffer): { bootFile?: string } {
  return boot.bootFile === undefined ? {} : { bootFile: boot.bootFile };
}
