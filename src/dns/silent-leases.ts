import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { LeaseFact } from '../service/letters.ts';

/** The leases whose machines this thread has answered nothing yet. */
export class SilentLeases {
  readonly #silent = new Map<Ip4, Mac>();
  readonly #heard = new Map<Ip4, Mac>();

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) {
      this.#silent.delete(address);
      this.#heard.delete(address);
    }
    for (const { address, mac } of bound) {
      if (this.#heard.get(address) === mac) continue;
      this.#heard.delete(address);
      this.#silent.set(address, mac);
    }
  }

  /** Whether it is the first answer since the lease of that address began. */
  isFirstAnswer(address: Ip4): boolean {
    const mac = this.#silent.get(address);
    if (mac === undefined) return false;
    this.#silent.delete(address);
    this.#heard.set(address, mac);
    return true;
  }
}
