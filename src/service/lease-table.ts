import { parseIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Clock } from '../system/clock.ts';
import type { LeaseFact } from './letters.ts';

/** Which machine holds which address, as the DHCP service last told. */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #leases = new Map<Ip4, LeaseFact>();
  /** Addresses of proxy subnets: they tell whose a request is, and are nobody's lease. */
  readonly #elsewhere = new Map<Ip4, LeaseFact>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** What ended comes before what began: an address may change hands within one letter. */
  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) {
      this.#leases.delete(address);
      this.#elsewhere.delete(address);
    }
    for (const fact of bound) (fact.elsewhere ? this.#elsewhere : this.#leases).set(fact.address, fact);
  }

  /** The leases of this rack. */
  all(): LeaseFact[] {
    return [...this.#leases.values()];
  }

  /** All that was told, for a service that starts. */
  facts(): LeaseFact[] {
    return [...this.#leases.values(), ...this.#elsewhere.values()];
  }

  /** Who has `address`, by lease or from elsewhere, unless its time is over. */
  holder(address: Ip4): LeaseFact | undefined {
    const lease = this.#leases.get(address) ?? this.#elsewhere.get(address);
    if (lease?.expires !== undefined && lease.expires * 1000 <= this.#clock.now()) return undefined;
    return lease;
  }

  /** Names the machine of something that is known by its address only. */
  nameMachine<T extends { readonly mac?: string; readonly address?: string }>(event: T): T {
    if (event.mac !== undefined || event.address === undefined) return event;
    const address = parseIp4(event.address);
    const lease = address === undefined ? undefined : this.holder(address);
    return lease ? { ...event, mac: formatMac(lease.mac) } : event;
  }
}

/** What a lease says of whose it is: the MAC, and the host it is where the MAC does not tell. */
export function machineOf(lease: LeaseFact | undefined): { readonly mac?: Mac; readonly host?: string } {
  if (lease === undefined) return {};
  return { mac: lease.mac, ...(lease.host && lease.name !== undefined && { host: lease.name }) };
}
