import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Decision, Exchange } from './exchange.ts';

/** The client states that send DHCPREQUEST, told apart by RFC 2131 §4.3.2 (table 4). */
export type RequestState = 'selecting' | 'init-reboot' | 'renewing';

export function requestState({ client }: Exchange): RequestState {
  if (client.serverId !== undefined) return 'selecting';
  return client.requested === undefined ? 'renewing' : 'init-reboot';
}

/** The address a DHCPREQUEST is about: option 50, or ciaddr where the client has the address already. */
export function wantedAddress({ packet, client }: Exchange): Ip4 {
  return client.requested ?? packet.ciaddr;
}

export function handleRequest(exchange: Exchange): Decision {
  switch (requestState(exchange)) {
    case 'selecting':
      return handleSelecting(exchange);
    case 'init-reboot':
      return handleInitReboot(exchange);
    case 'renewing':
      return handleRenewing(exchange);
  }
}

/** The client took an offer: ours, or another server's. */
function handleSelecting(exchange: Exchange): Decision {
  const { client, served, addresses, rackAddress } = exchange;
  if (client.serverId !== rackAddress) {
    addresses.withdrawOffer(client);
    const other = formatIp4(client.serverId ?? UNSPECIFIED);
    return { kind: 'silence', reason: `it chose the DHCP server ${other}`, ordinary: true };
  }
  const wanted = wantedAddress(exchange);
  const refusal = addresses.refusal(client, served, wanted);
  return refusal === undefined ? ack(exchange, wanted) : { kind: 'nak', reason: refusal };
}

/** The client restarted and remembers an address. Without a record of it the server MUST remain silent. */
function handleInitReboot(exchange: Exchange): Decision {
  const { served } = exchange;
  const wanted = wantedAddress(exchange);
  // "the server SHOULD send a DHCPNAK if the client is on the wrong network", record or not
  if (!cidrContains(served.subnet.cidr, wanted)) {
    return { kind: 'nak', reason: `${formatIp4(wanted)} is not on this network` };
  }
  return confirm(exchange, wanted);
}

/** RENEWING (unicast) and REBINDING (broadcast): the client uses the address in ciaddr now. */
function handleRenewing(exchange: Exchange): Decision {
  const wanted = wantedAddress(exchange);
  if (wanted === UNSPECIFIED) {
    return { kind: 'silence', reason: 'its request names no address (options 50 and 54 and ciaddr are empty)' };
  }
  return confirm(exchange, wanted);
}

/** The client says that it has `wanted`: true by our record, false, or more than we know. */
function confirm(exchange: Exchange, wanted: Ip4): Decision {
  const { client, served, addresses } = exchange;
  const refusal = addresses.refusal(client, served, wanted);
  if (refusal !== undefined) return { kind: 'nak', reason: refusal };
  const record = addresses.recordOf(client, served);
  if (record === wanted) return ack(exchange, wanted);
  if (record !== undefined) return { kind: 'nak', reason: `we know it by ${formatIp4(record)}` };
  return { kind: 'silence', reason: `we have no record of its address ${formatIp4(wanted)} (RFC 2131 §4.3.2)` };
}

function ack({ client, served, addresses }: Exchange, address: Ip4): Decision {
  return { kind: 'ack', lease: addresses.bind(client, served, address) };
}
