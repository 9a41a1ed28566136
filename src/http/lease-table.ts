import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';

/** Which machine holds which address, as the DHCP service tells it. */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #leases = new Map<Ip4, LeaseFact>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What ended comes before what began: an address may change hands within one letter. */
  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) this.#leases.delete(address);
    for (const lease of bound) this.#leases.set(lease.address, lease);
  }

  /** The lease of `address`, unless its time is over. */
  holder(address: Ip4): LeaseFact | undefined {
    const lease = this.#leases.get(address);
    if (lease?.expires !== undefined && lease.expires * 1000 <= this.#clock.now()) return undefined;
    return lease;
  }
}
