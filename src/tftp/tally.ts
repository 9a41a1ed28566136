import type { Counters } from '../service/letters.ts';

/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  read(): Counters {
    return Object.fromEntries(this.#counts);
  }
}
