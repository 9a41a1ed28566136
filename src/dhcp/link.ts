import { cidrContains } from '../addr/cidr.ts';
import { UNSPECIFIED } from '../addr/ip4.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { askedOf } from './asked.ts';
import type { Addresses, ServedSubnet } from './addresses.ts';
import type { Client } from './client.ts';
import type { Decision, Exchange } from './exchange.ts';

/**
 * The subnets of a shared network in the order in which they are this client's: the one its own address is in; that of
 * the lease it holds, before any it had (RFC 2131 §4.3.1), unless it asks for one address by REQUEST; that of our
 * record; that of the address it would like; the others as written. A host with a written address is at home in that
 * subnet and in no other.
 */
export function orderLink(
  link: readonly ServedSubnet[],
  client: Client,
  packet: Pick<DhcpPacket, 'ciaddr' | 'options'>,
  addresses: Addresses,
): readonly ServedSubnet[] {
  const home = addresses.homeOf(client, link);
  if (home) return [home];
  const { requested } = client;
  const { ciaddr } = packet;
  const isRequest = askedOf(packet) === 'request';
  const rank = (served: ServedSubnet): number => {
    if (ciaddr !== UNSPECIFIED) return cidrContains(served.subnet.cidr, ciaddr) ? 0 : 1;
    const record = addresses.recordOf(client, served);
    if (!isRequest && record !== undefined && addresses.leaseOf(client, record)) return -1;
    const isKnown = record !== undefined;
    const isWanted = requested !== undefined && cidrContains(served.subnet.cidr, requested);
    return (isKnown ? 0 : 2) + (isWanted ? 0 : 1);
  };
  return link.toSorted((a, b) => rank(a) - rank(b));
}

/** Asks subnet after subnet for an address; when none has one, what the first said stands. */
export function offerOnLink(
  exchange: Exchange,
  handle: (on: Exchange) => Decision,
): { readonly on: Exchange; readonly decision: Decision } {
  const first = handle(exchange);
  if (isGiven(first)) return { on: exchange, decision: first };
  for (const served of exchange.link.slice(1)) {
    const on = exchangeOn(exchange, served);
    const decision = handle(on);
    if (isGiven(decision)) return { on, decision };
  }
  return { on: exchange, decision: first };
}

function exchangeOn(exchange: Exchange, served: ServedSubnet): Exchange {
  const rackAddress = served.subnet.rackAddress ?? exchange.rackAddress;
  const isOverridden = exchange.serverId !== exchange.rackAddress;
  return { ...exchange, served, rackAddress, serverId: isOverridden ? exchange.serverId : rackAddress };
}

function isGiven({ kind }: Decision): boolean {
  return kind === 'offer' || kind === 'ack' || kind === 'probing';
}
