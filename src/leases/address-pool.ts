import type { Ip4 } from '../addr/ip4.ts';
import { rangeContains, type Range } from '../addr/range.ts';

/**
 * The addresses of one range that nobody holds. Taking one costs the same whether the range is empty or full:
 * addresses never used come first, in order; then those given back, the longest idle first.
 */
export class AddressPool {
  readonly range: Range;
  readonly #isTaken: (address: Ip4) => boolean;
  /** Given back, oldest first (a Set keeps the order of insertion). */
  readonly #idle = new Set<Ip4>();
  /** Everything below was used at least once or passed over because it was taken. */
  #next: number;

  /** `isTaken`: an address that must not be given now, whoever holds it (a lease, an offer, a quarantine, the rack itself). */
  constructor(range: Range, isTaken: (address: Ip4) => boolean) {
    this.range = range;
    this.#isTaken = isTaken;
    this.#next = range.first;
  }

  /** Takes `wanted` when it is free; undefined otherwise. */
  takeWanted(wanted: Ip4): Ip4 | undefined {
    if (!rangeContains(this.range, wanted) || this.#isTaken(wanted)) return undefined;
    this.#idle.delete(wanted);
    return wanted;
  }

  /** Takes any free address; undefined when the range is full. */
  take(): Ip4 | undefined {
    while (this.#next <= this.range.last) {
      const address = this.#next++ as Ip4;
      if (!this.#isTaken(address) && !this.#idle.has(address)) return address;
    }
    for (const address of this.#idle) {
      this.#idle.delete(address);
      if (!this.#isTaken(address)) return address;
    }
    return undefined;
  }

  /** An address came free: last in the queue of those to be used again. */
  giveBack(address: Ip4): void {
    if (!rangeContains(this.range, address)) return;
    this.#idle.delete(address);
    this.#idle.add(address);
  }
}
