import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaseNews } from './lease-news.ts';

/** Machines remembered: a subnet may be larger than what anyone should keep in memory at a stranger's word. */
const MOST = 16_384;
/** How long the other server lends its addresses is not heard; who is still there asks again sooner than this. */
const SECONDS = 24 * 3600;

interface Place {
  readonly address: Ip4;
  /** Unix seconds. */
  readonly until: number;
}

/**
 * Which machine has which address on the proxy subnets, as far as its own requests to other servers tell. No leases:
 * kept in memory, one for each machine, so that what it fetches and reports is known to be its.
 */
export class MachinesElsewhere {
  readonly #news: Pick<LeaseNews, 'leaseBound' | 'leaseEnded'>;
  /** Least lately told first. */
  readonly #byMac = new Map<Mac, Place>();
  readonly #byAddress = new Map<Ip4, Mac>();

  constructor(news: Pick<LeaseNews, 'leaseBound' | 'leaseEnded'>) {
    this.#news = news;
  }

  get size(): number {
    return this.#byMac.size;
  }

  /** `now`: Unix seconds. True when this machine was not known to have this address. */
  learn(mac: Mac, address: Ip4, now: number): boolean {
    const known = this.#byMac.get(mac);
    const isNew = known?.address !== address;
    if (!isNew && known.until - now > SECONDS / 2) return false;
    if (isNew) this.forget(mac);
    const before = this.#byAddress.get(address);
    if (before !== undefined) this.#byMac.delete(before);
    // Again: behind those that were told of since
    this.#byMac.delete(mac);
    this.#byMac.set(mac, { address, until: now + SECONDS });
    this.#byAddress.set(address, mac);
    this.#news.leaseBound({ address, mac, expires: now + SECONDS, elsewhere: true });
    if (this.#byMac.size > MOST) this.#forgetOldest();
    return isNew;
  }

  forget(mac: Mac): void {
    const known = this.#byMac.get(mac);
    if (!known) return;
    this.#byMac.delete(mac);
    this.#byAddress.delete(known.address);
    this.#news.leaseEnded(known.address);
  }

  /** Forgets the machines of subnets that are no proxy's any more. */
  apply({ subnets }: Pick<Plan, 'subnets'>): void {
    const proxied = subnets.filter(({ management }) => management === 'proxy');
    for (const [mac, { address }] of this.#byMac) {
      if (!proxied.some(({ cidr }) => cidrContains(cidr, address))) this.forget(mac);
    }
  }

  #forgetOldest(): void {
    for (const mac of this.#byMac.keys()) return this.forget(mac);
  }
}
