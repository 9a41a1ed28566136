import type { Ip4 } from '../addr/ip4.ts';
import { AddressPool } from '../leases/address-pool.ts';
import type { ClassMatch, ClassPool, ClientClass } from '../plan/plan.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { isOfClass } from './client-class.ts';
import type { Client } from './client.ts';
import { renewsPastRelay } from './past-relay.ts';

/** A range that only machines of a class are given from. */
export interface PoolOfClass {
  /** Of the class. */
  readonly name: string;
  readonly match: ClassMatch;
  readonly pool: AddressPool;
}

/** One whose class is out of service is nobody's. */
export function poolsOfClasses(
  pools: readonly ClassPool[],
  classes: readonly ClientClass[] = [],
  isTaken: (address: Ip4) => boolean,
): PoolOfClass[] {
  return pools.flatMap(({ range, class: name }) => {
    const match = classes.find((each) => each.name === name)?.match;
    return match ? [{ name, match, pool: new AddressPool(range, isTaken) }] : [];
  });
}

/** Those of its classes, in file order. */
export function poolsFor({ classes }: Pick<Client, 'classes'>, pools: readonly PoolOfClass[]): AddressPool[] {
  return pools.filter(({ name }) => classes?.has(name)).map(({ pool }) => pool);
}

/** The client with its classes, where there are pools for classes on its link; elsewhere as it is, at no cost. */
export function withClasses(
  client: Client,
  packet: DhcpPacket,
  link: readonly { readonly pools?: readonly PoolOfClass[] }[],
): Client {
  if (link.every(({ pools }) => pools === undefined)) return client;
  const isOf = ({ match }: PoolOfClass): boolean =>
    isOfClass(renewsPastRelay(packet) ? withoutPort(match) : match, client, packet);
  return { ...client, classes: new Set(link.flatMap(({ pools = [] }) => pools.filter(isOf)).map(({ name }) => name)) };
}

/** A client that renews past its relay has that address by our record: nobody gets into a pool this way. */
function withoutPort({ circuitIds: _port, remoteIds: _relay, ...match }: ClassMatch): ClassMatch {
  return match;
}
