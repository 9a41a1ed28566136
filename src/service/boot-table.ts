import type { Mac } from '../addr/mac.ts';
import type { BootFact, BootNews } from '../boots/boot-sign.ts';

/** What machines have had to boot, as the rack last told. */
export class BootTable {
  readonly #states = new Map<Mac, Map<string, BootFact['state']>>();
  lostSince: number | undefined;

  learn({ set, cleared, lostSince }: BootNews): void {
    for (const { mac, entry } of cleared) this.#states.get(mac)?.delete(entry);
    for (const { mac, entry, state } of set) {
      const ofOne = this.#states.get(mac) ?? new Map<string, BootFact['state']>();
      this.#states.set(mac, ofOne.set(entry, state));
    }
    this.lostSince = lostSince;
  }

  of(mac: Mac, entry: string): BootFact['state'] | undefined {
    return this.#states.get(mac)?.get(entry);
  }
}
