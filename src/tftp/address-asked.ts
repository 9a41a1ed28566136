import { cidrContains } from '../addr/cidr.ts';
import { toIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Subnet } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { Inbound } from '../system/datagram.ts';

/** 224.0.0.0: multicast begins here, and 255.255.255.255 is above it too. */
const NO_HOST = toIp4(0xe0000000);

/**
 * The address of ours that a request was sent to. The answer must leave from it, as clients drop what comes from any
 * other; some ROMs ask a broadcast address, for which this rack's own stands in. UNSPECIFIED when none is known.
 */
export function addressAsked(request: Inbound, handle: SocketHandle, subnets: readonly Subnet[]): Ip4 {
  const { destination, source } = request;
  const isHost = destination !== UNSPECIFIED && destination < NO_HOST;
  if (isHost && !subnets.some(({ broadcast }) => broadcast === destination)) return destination;
  if (handle.address !== UNSPECIFIED) return handle.address;
  return subnets.find(({ cidr }) => cidrContains(cidr, source))?.rackAddress ?? UNSPECIFIED;
}
