import { cidrContains } from '../addr/cidr.ts';
import { LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { ServedSubnet } from './addresses.ts';

/**
 * The subnet a message came from: that of the relay's address; of the client's own, when it writes to us alone from
 * behind a relay that then has no part in it (RFC 2131 §4.3.2, RENEWING); else of the interface it was heard on.
 */
export function chooseSubnet(
  served: readonly ServedSubnet[],
  { giaddr, ciaddr }: Pick<DhcpPacket, 'giaddr' | 'ciaddr'>,
  handle: SocketHandle,
  destination: Ip4,
): ServedSubnet | undefined {
  if (giaddr !== UNSPECIFIED) return subnetAt(served, giaddr);
  const own = ciaddr !== UNSPECIFIED && isUnicast(served, destination) ? subnetAt(served, ciaddr) : undefined;
  return own ?? served.find(({ subnet }) => subnet.interface !== undefined && subnet.interface === handle.interface);
}

function subnetAt(served: readonly ServedSubnet[], address: Ip4): ServedSubnet | undefined {
  return served.find(({ subnet }) => cidrContains(subnet.cidr, address));
}

function isUnicast(served: readonly ServedSubnet[], destination: Ip4): boolean {
  if (destination === UNSPECIFIED || destination === LIMITED_BROADCAST) return false;
  return !served.some(({ subnet }) => subnet.broadcast === destination);
}
