import type { NameKey } from '../wire/dns/name.ts';
import { hashKey, hashWildcard, type NamePath } from '../wire/dns/name-path.ts';

/** What a table of names holds: each knows its own place. */
export interface Named<Entry> {
  readonly key: NameKey;
  readonly hash: number;
  /** The next one in the same place of the table. */
  next: Entry | undefined;
}

/** Places of an empty table, a power of two. */
const FEWEST = 8;

/**
 * Names → entries, as a Map would have it, but found by a name taken apart, which a question is: no string is made of
 * it, and its parents are found as fast as itself.
 */
export class NameTable<Entry extends Named<Entry>> {
  #places: (Entry | undefined)[] = emptyPlaces(FEWEST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The entry of the name without its first `label` labels. */
  find(path: NamePath, label: number): Entry | undefined {
    const hash = path.hash(label);
    let entry = this.#places[hash & (this.#places.length - 1)];
    while (entry && (entry.hash !== hash || !path.equals(entry.key, label))) entry = entry.next;
    return entry;
  }

  /** The entry of "*" right under `parent`. */
  findWildcard(parent: Named<Entry>): Entry | undefined {
    const hash = hashWildcard(parent.hash);
    let entry = this.#places[hash & (this.#places.length - 1)];
    while (entry && (entry.hash !== hash || !isWildcardOf(entry.key, parent.key))) entry = entry.next;
    return entry;
  }

  get(key: NameKey): Entry | undefined {
    const hash = hashKey(key);
    let entry = this.#places[hash & (this.#places.length - 1)];
    while (entry && entry.key !== key) entry = entry.next;
    return entry;
  }

  /** Adds an entry whose name is not there yet. */
  add(entry: Entry): void {
    if (this.#size >= this.#places.length) this.#grow();
    this.#put(entry);
    this.#size++;
  }

  delete(entry: Entry): void {
    const index = entry.hash & (this.#places.length - 1);
    let before = this.#places[index];
    if (before === entry) this.#places[index] = entry.next;
    else {
      while (before && before.next !== entry) before = before.next;
      if (!before) return;
      before.next = entry.next;
    }
    this.#size--;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const first of this.#places) for (let entry = first; entry; entry = entry.next) yield entry;
  }

  #put(entry: Entry): void {
    const index = entry.hash & (this.#places.length - 1);
    entry.next = this.#places[index];
    this.#places[index] = entry;
  }

  #grow(): void {
    const entries = [...this];
    this.#places = emptyPlaces(this.#places.length * 2);
    for (const entry of entries) this.#put(entry);
  }
}

function emptyPlaces<Entry>(count: number): (Entry | undefined)[] {
  return Array.from({ length: count });
}

/** The equal hashes have told nearly all of it. */
function isWildcardOf(key: NameKey, parent: NameKey): boolean {
  return key.length === parent.length + 2 && key.startsWith('\u0001*') && key.endsWith(parent);
}
