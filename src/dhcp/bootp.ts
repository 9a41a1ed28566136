import { UNSPECIFIED } from '../addr/ip4.ts';
import { rangeContains } from '../addr/range.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { FOREVER } from '../wire/dhcp/options/seconds.ts';
import type { Decision, Exchange } from './exchange.ts';
import { grantReply, type DhcpReply, type Grant } from './reply.ts';

/** What only DHCP knows (RFC 1534 §2), and what the fields `file` and `siaddr` say already. */
const NOT_FOR_BOOTP: ReadonlySet<number> = new Set([
  OptionCode.messageType,
  OptionCode.serverId,
  OptionCode.leaseTime,
  OptionCode.renewalTime,
  OptionCode.rebindingTime,
  OptionCode.tftpServerName,
  OptionCode.bootFileName,
]);
/** Later than any lease time a file may name: 10 June 2096. */
const ENDLESS = 4_000_000_000;

/**
 * BOOTP (RFC 951, 1542; beside DHCP: RFC 1534): one request, one reply, and no word of a lease. Such a client never
 * renews, so an address from the dynamic range is its own for good, and only given where the file allows it.
 */
export function handleBootp(exchange: Exchange): Decision {
  const { client, served, addresses, conflicts } = exchange;
  const { bootp, dynamic, pools = [] } = served.subnet;
  const isOpen = bootp === 'dynamic';
  if (!isOpen && !addresses.host(client)) return onlyHosts();
  const choice = addresses.offer(client, served);
  if (choice.address === undefined) {
    return choice.exhausted ? { kind: 'exhausted', reason: choice.none } : { kind: 'silence', reason: choice.none };
  }
  const { address } = choice;
  const isDynamic = [dynamic, ...pools.map(({ range }) => range)].some(
    (range) => range && rangeContains(range, address),
  );
  if (isDynamic && !isOpen) {
    addresses.withdrawOffer(client);
    return onlyHosts();
  }
  if (!conflicts.clears(exchange, choice.address)) return { kind: 'probing', address: choice.address };
  const lease = addresses.bind(client, served, choice.address, isDynamic ? FOREVER : undefined);
  return { kind: 'ack', lease, answers: 'bootp', by: choice.by };
}

function onlyHosts(): Decision {
  const reason = 'it asks by BOOTP, and only hosts with an address of their own are served so here';
  return { kind: 'silence', reason, counter: 'bootp' };
}

/** Whether a lease is that of a BOOTP client. `expires`: Unix seconds. */
export function isEndless(expires: number): boolean {
  return expires > ENDLESS;
}

export function bootpReply(exchange: Exchange, grant: Omit<Grant, 'type'>): DhcpReply {
  const reply = grantReply(exchange, { ...grant, type: MessageType.ack });
  const options = reply.options.filter(({ code }) => !NOT_FOR_BOOTP.has(code));
  // RFC 951 §8: a client that fills in ciaddr has it, and is written to there
  const { ciaddr } = exchange.packet;
  return { ...reply, ciaddr: ciaddr === grant.address ? ciaddr : UNSPECIFIED, options, answers: 'bootp' };
}
