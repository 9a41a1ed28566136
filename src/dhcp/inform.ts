import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED } from '../addr/ip4.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { Decision, Exchange } from './exchange.ts';
import { grantReply, type DhcpReply, type Grant } from './reply.ts';

/** RFC 2131 table 3, column INFORM: MUST NOT. */
const LEASE_OPTIONS: ReadonlySet<number> = new Set([
  OptionCode.leaseTime,
  OptionCode.renewalTime,
  OptionCode.rebindingTime,
]);

/** DHCPINFORM (RFC 2131 §4.3.5): the network is looked at for consistency, leases are not. */
export function handleInform({ packet, served }: Exchange): Decision {
  const address = packet.ciaddr;
  if (address === UNSPECIFIED) {
    return { kind: 'silence', reason: 'its INFORM does not say which address it has (ciaddr is empty)' };
  }
  if (!cidrContains(served.subnet.cidr, address)) {
    return { kind: 'silence', reason: `its address ${formatIp4(address)} is not on this network` };
  }
  return { kind: 'informed', address };
}

/** An ACK that gives no address and no time. */
export function informReply(exchange: Exchange, grant: Omit<Grant, 'type'>): DhcpReply {
  const reply = grantReply(exchange, { ...grant, type: MessageType.ack });
  const options = reply.options.filter(({ code }) => !LEASE_OPTIONS.has(code));
  return { ...reply, ciaddr: grant.address, yiaddr: UNSPECIFIED, options, answers: 'inform' };
}
