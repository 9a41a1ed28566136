import type { Plan } from '../plan/plan.ts';
import { AddressSet } from './address-set.ts';
import type { RespondSettings } from './respond.ts';

/** How a thread answers. Each of several has its share of the rate: clients come to all of them, by the port they ask from. */
export function respondSettings({ subnets, dns }: Plan): RespondSettings {
  const own = subnets.map(({ cidr }) => cidr);
  const { rateLimit, threads } = dns;
  return {
    nsid: dns.nsid,
    recursion: new AddressSet([...own, ...dns.allow]),
    unlimited: new AddressSet(own),
    ...(rateLimit && { rateLimit: { ...rateLimit, responses: Math.max(1, rateLimit.responses / threads) } }),
  };
}
