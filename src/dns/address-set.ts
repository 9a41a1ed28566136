import { broadcastOf, type Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';

/** The addresses of any number of networks, found in a few steps. */
export class AddressSet {
  /** First and last address of each stretch, by address; no two touch. */
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];

  constructor(networks: readonly Cidr[]) {
    for (const cidr of networks.toSorted((a, b) => a.network - b.network)) {
      const last = broadcastOf(cidr);
      const end = this.#lasts.length - 1;
      if (end >= 0 && cidr.network <= (this.#lasts[end] ?? 0) + 1) {
        this.#lasts[end] = Math.max(this.#lasts[end] ?? 0, last);
      } else {
        this.#firsts.push(cidr.network);
        this.#lasts.push(last);
      }
    }
  }

  has(address: Ip4): boolean {
    let [low, high] = [0, this.#firsts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low < this.#firsts.length && (this.#firsts[low] ?? 0) <= address;
  }
}
