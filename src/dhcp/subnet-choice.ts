import { cidrContains } from '../addr/cidr.ts';
import { LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeIp4 } from '../wire/dhcp/options/ip4.ts';
import type { RelayAgentInfo } from '../wire/dhcp/options/relay-agent.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { ServedSubnet } from './addresses.ts';

/** What told the link of a message. */
export type LinkSign = 'link-selection' | 'subnet-selection' | 'relay' | 'own-address' | 'interface';

/**
 * The subnets of the link a message came from; none: it is not one of ours. Named outright, by the relay (RFC 3527,
 * which goes first) or the client (RFC 3011), that one counts alone; else that of the relay's address; that of the client's
 * own, when it writes to us alone from behind a relay that then has no part in it (RFC 2131 §4.3.2, RENEWING); else that of
 * the interface it was heard on. `tell` is called with which of them it was.
 */
export function chooseLink(
  served: readonly ServedSubnet[],
  { giaddr, ciaddr, options }: Pick<DhcpPacket, 'giaddr' | 'ciaddr' | 'options'>,
  relay: RelayAgentInfo | undefined,
  handle: SocketHandle,
  destination: Ip4,
  tell?: (sign: LinkSign) => void,
): readonly ServedSubnet[] {
  const selected = relay?.linkSelection ?? decodeIp4(options.get(OptionCode.subnetSelection));
  if (selected !== undefined) {
    tell?.(relay?.linkSelection === undefined ? 'subnet-selection' : 'link-selection');
    return linkOf(served, subnetAt(served, selected));
  }
  if (giaddr !== UNSPECIFIED) {
    tell?.('relay');
    return linkOf(served, subnetAt(served, giaddr));
  }
  const own = ciaddr !== UNSPECIFIED && isUnicast(served, destination) ? subnetAt(served, ciaddr) : undefined;
  tell?.(own ? 'own-address' : 'interface');
  const local = served.find(({ subnet }) => subnet.interface !== undefined && subnet.interface === handle.interface);
  return linkOf(served, own ?? local);
}

/** All subnets on one link with this one: those of its shared network. */
function linkOf(served: readonly ServedSubnet[], one: ServedSubnet | undefined): readonly ServedSubnet[] {
  if (one?.subnet.shared === undefined) return one ? [one] : [];
  return served.filter(({ subnet }) => subnet.shared === one.subnet.shared);
}

function subnetAt(served: readonly ServedSubnet[], address: Ip4): ServedSubnet | undefined {
  return served.find(({ subnet }) => cidrContains(subnet.cidr, address));
}

function isUnicast(served: readonly ServedSubnet[], destination: Ip4): boolean {
  if (destination === UNSPECIFIED || destination === LIMITED_BROADCAST) return false;
  return !served.some(({ subnet }) => subnet.broadcast === destination);
}
