import type { NameKey } from '../wire/dns/name.ts';
import { hashKey, hashWildcard, type NamePath } from '../wire/dns/name-path.ts';

/** What a table of names holds: each knows its own place. */
export interface Named<Entry> {
  readonly key: NameKey;
  readonly hash: number;
  /** The next one in the same place of the table. */
  next: Entry | undefined;
  /** Where it stands among all of the table; the table keeps it. */
  index: number;
}

/** Places of an empty table, a power of two. */
const FEWEST = 8;

/**
 * Names → entries, as a Map would have it, but found by a name taken apart, which a question is: no string is made of
 * it, and its parents are found as fast as itself.
 */
export class NameTable<Entry extends Named<Entry>> {
  #places: (Entry | undefined)[] = emptyPlaces(FEWEST);
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** All of them, in an order that only what was done to the table decides. */
  all(): Iterable<Entry> {
    return this.#entries;
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
    if (this.size >= this.#places.length) this.#grow();
    entry.index = this.#entries.push(entry) - 1;
    this.#put(entry);
  }

  /** Takes away an entry that is there. */
  delete(entry: Entry): void {
    const place = entry.hash & (this.#places.length - 1);
    let before = this.#places[place];
    if (before === entry) this.#places[place] = entry.next;
    else {
      while (before && before.next !== entry) before = before.next;
      if (before) before.next = entry.next;
    }
    const last = this.#entries.pop();
    if (!last || last === entry) return;
    last.index = entry.index;
    this.#entries[entry.index] = last;
  }

  #put(entry: Entry): void {
    const place = entry.hash & (this.#places.length - 1);
    entry.next = this.#places[place];
    this.#places[place] = entry;
  }

  #grow(): void {
    this.#places = emptyPlaces(this.#places.length * 2);
    for (const entry of this.#entries) this.#put(entry);
  }
}

function emptyPlaces<Entry>(count: number): (Entry | undefined)[] {
  return Array.from({ length: count });
}

/** The equal hashes have told nearly all of it. */
function isWildcardOf(key: NameKey, parent: NameKey): boolean {
  return key.length === parent.length + 2 && key.startsWith('\u0001*') && key.endsWith(parent);
}
