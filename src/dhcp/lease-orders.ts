import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Lease } from '../leases/lease.ts';
import type { LeaseAnswer, LeaseOrder, LeaseWish } from '../service/letters.ts';
import type { Addresses } from './addresses.ts';
import { importLeases } from './import-leases.ts';
import { factOf } from './lease-fact.ts';
import type { LeaseNews } from './lease-news.ts';

export interface LeaseOrdersDependencies {
  readonly addresses: Addresses;
  readonly events: LeaseNews;
  /** Tells that an address came free. */
  readonly leaseEnded: (address: Ip4) => void;
  /** Unix seconds. */
  readonly now: number;
  /** Why what was changed could not be written, and is undone; undefined once it is on disk. */
  readonly commit: () => string | undefined;
}

/** Does what an operator wants of the leases; what is answered as done is on disk. */
export function obeyLeaseOrder(order: LeaseOrder, dependencies: LeaseOrdersDependencies): LeaseAnswer {
  return order.kind === 'release' ? revoke(order.of, dependencies) : takeOver(order.leases, dependencies);
}

function revoke(
  of: Ip4 | { readonly mac: Mac },
  { addresses, events, leaseEnded, commit }: LeaseOrdersDependencies,
): LeaseAnswer {
  const isMeant = ({ address, mac }: Lease): boolean => (typeof of === 'number' ? address === of : mac === of.mac);
  const leases = addresses.held().filter(isMeant);
  for (const lease of leases) addresses.revoke(lease);
  const fault = commit();
  if (fault !== undefined) return unwritten(fault);
  for (const { address, mac } of leases) {
    leaseEnded(address);
    events.emit({ kind: 'dhcp.revoked' }, { mac: formatMac(mac), address: formatIp4(address) });
  }
  return { done: leases.map((lease) => factOf(lease)), refused: [] };
}

function takeOver(
  wishes: readonly LeaseWish[],
  { addresses, events, now, commit }: LeaseOrdersDependencies,
): LeaseAnswer {
  const { taken, refused } = importLeases(addresses, wishes, now);
  const fault = commit();
  if (fault !== undefined) return unwritten(fault);
  const done = taken.map((lease) => factOf(lease, addresses.isHostsBySign(lease)));
  for (const fact of done) events.leaseBound(fact);
  events.emit({ kind: 'dhcp.imported', taken: taken.length, refused: refused.length });
  return { done, refused };
}

function unwritten(fault: string): LeaseAnswer {
  return { done: [], refused: [], fault: `leases can't be written: ${fault}` };
}
