import type { NameKey } from '../wire/dns/name.ts';
import type { RecordSet } from '../wire/dns/record-set.ts';

/**
 * Names with their sets, as they were at one moment. To take it from a zone of 100,000 names holds the thread for
 * some milliseconds; what is made of it can be made in slices.
 */
export class ZoneSnapshot implements Iterable<readonly [NameKey, readonly RecordSet[]]> {
  readonly #names: NameKey[] = [];
  readonly #sets: (readonly RecordSet[])[] = [];

  get length(): number {
    return this.#names.length;
  }

  add(name: NameKey, sets: readonly RecordSet[]): void {
    this.#names.push(name);
    this.#sets.push(sets);
  }

  *[Symbol.iterator](): Generator<readonly [NameKey, readonly RecordSet[]]> {
    for (const [, entry] of this.entries()) yield entry;
  }

  *entries(): Generator<readonly [number, readonly [NameKey, readonly RecordSet[]]]> {
    for (const [row, name] of this.#names.entries()) {
      const sets = this.#sets[row];
      if (sets) yield [row, [name, sets]];
    }
  }
}
