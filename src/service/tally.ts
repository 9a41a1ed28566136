import type { Counters } from './letters.ts';

/** What a service counts, by name. */
export class Tally {
  readonly #counts: Map<string, number>;

  /** `shown`: names that are read as 0 before they are first counted; others are then absent. */
  constructor(...shown: readonly string[]) {
    this.#counts = new Map(shown.map((name) => [name, 0]));
  }

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  read(): Counters {
    return Object.fromEntries(this.#counts);
  }
}
