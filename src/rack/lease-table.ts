import { parseIp4, type Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { RackEvent } from '../timeline/event.ts';

/** The leases as the DHCP service last told: what every other service is told when it starts. */
export class LeaseTable {
  readonly #leases = new Map<Ip4, LeaseFact>();

  get size(): number {
    return this.#leases.size;
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) this.#leases.delete(address);
    for (const lease of bound) this.#leases.set(lease.address, lease);
  }

  all(): LeaseFact[] {
    return [...this.#leases.values()];
  }

  /** A service that only saw an address leaves the machine to us. */
  nameMachine(event: RackEvent): RackEvent {
    if (event.mac !== undefined || event.address === undefined) return event;
    const address = parseIp4(event.address);
    const lease = address === undefined ? undefined : this.#leases.get(address);
    return lease ? { ...event, mac: lease.mac } : event;
  }
}
