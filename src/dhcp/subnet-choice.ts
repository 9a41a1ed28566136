import { cidrContains } from '../addr/cidr.ts';
import { UNSPECIFIED } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { ServedSubnet } from './addresses.ts';

/** The subnet a message came from: that of the relay's address, else that of the interface it was heard on. */
export function chooseSubnet(
  served: readonly ServedSubnet[],
  packet: DhcpPacket,
  handle: SocketHandle,
): ServedSubnet | undefined {
  const { giaddr } = packet;
  if (giaddr !== UNSPECIFIED) return served.find(({ subnet }) => cidrContains(subnet.cidr, giaddr));
  return served.find(({ subnet }) => subnet.interface !== undefined && subnet.interface === handle.interface);
}
