import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Decision, Exchange } from './exchange.ts';

/** The client states that send DHCPREQUEST, told apart by RFC 2131 §4.3.2 (table 4). */
export type RequestState = 'selecting' | 'init-reboot' | 'renewing';

export function requestState({ client, packet }: Exchange): RequestState {
  if (client.serverId !== undefined) return 'selecting';
  return packet.ciaddr === UNSPECIFIED ? 'init-reboot' : 'renewing';
}

/** The address a DHCPREQUEST is about: ciaddr where the client has the address already, else option 50. */
export function wantedAddress(exchange: Exchange): Ip4 {
  const { ciaddr } = exchange.packet;
  return requestState(exchange) === 'renewing' ? ciaddr : (exchange.client.requested ?? ciaddr);
}

export function handleRequest(exchange: Exchange): Decision {
  return requestState(exchange) === 'selecting' ? handleSelecting(exchange) : handleRemembered(exchange);
}

/** The client took an offer: ours, or another server's. */
function handleSelecting(exchange: Exchange): Decision {
  const { client, served, addresses, rackAddress, serverId } = exchange;
  if (client.serverId !== serverId && client.serverId !== rackAddress) {
    addresses.withdrawOffer(client);
    const other = formatIp4(client.serverId ?? UNSPECIFIED);
    return { kind: 'silence', reason: `it chose the DHCP server ${other}`, ordinary: true, server: other };
  }
  const wanted = wantedAddress(exchange);
  const refusal = addresses.refusal(client, served, wanted);
  return refusal === undefined ? ack(exchange, wanted) : { kind: 'nak', reason: refusal };
}

/**
 * INIT-REBOOT, RENEWING (unicast) and REBINDING (broadcast): the client says that it has an address. That is true by
 * our record, false, or more than we know.
 */
function handleRemembered(exchange: Exchange): Decision {
  const { client, served, addresses } = exchange;
  const wanted = wantedAddress(exchange);
  const address = formatIp4(wanted);
  if (wanted === UNSPECIFIED) {
    return { kind: 'silence', reason: 'its request names no address (options 50 and 54 and ciaddr are empty)' };
  }
  // "the server SHOULD send a DHCPNAK if the client is on the wrong network", record or not
  if (!cidrContains(served.subnet.cidr, wanted)) return { kind: 'nak', reason: `${address} is not on this network` };
  const record = addresses.recordOf(client, served);
  // Without a record the server "MUST remain silent": another may have given the address, unless we know whose it is
  if (record === undefined && !addresses.isTakenByOther(client, wanted)) {
    return { kind: 'silence', reason: `we have no record of its address ${address} (RFC 2131 §4.3.2)` };
  }
  const refusal = addresses.refusal(client, served, wanted);
  if (refusal !== undefined) return { kind: 'nak', reason: refusal };
  if (record !== wanted) return { kind: 'nak', reason: `we know it by ${formatIp4(record ?? UNSPECIFIED)}` };
  return ack(exchange, wanted);
}

function ack({ client, served, addresses }: Exchange, address: Ip4): Decision {
  return { kind: 'ack', lease: addresses.bind(client, served, address) };
}
