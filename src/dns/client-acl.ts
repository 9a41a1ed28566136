import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { AclEntry } from '../plan/plan.ts';
import { nameKey, type NameKey } from '../wire/dns/name.ts';

/** Who asks: where from, and by which key, if what was sent is signed well. */
export interface Requester {
  readonly address: Ip4;
  readonly key: NameKey | undefined;
}

/** Whether one of the entries lets them; where it has both address and key, both must hold. */
export function isAllowed(entries: readonly AclEntry[], { address, key }: Requester): boolean {
  return entries.some((entry) => {
    const isFrom = entry.cidr === undefined || cidrContains(entry.cidr, address);
    return isFrom && (entry.key === undefined || nameKey(entry.key) === key);
  });
}
