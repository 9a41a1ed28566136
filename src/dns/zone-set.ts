import { hashKey, NamePath } from '../wire/dns/name-path.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { NameTable, type Named } from './name-table.ts';
import type { Zone } from './zone.ts';

interface Entry extends Named<Entry> {
  zone: Zone;
}

/** The zones served now, and which of them a name belongs to. */
export class ZoneSet {
  readonly #zones = new NameTable<Entry>();
  readonly #path = new NamePath();
  #deepest = 0;

  /** Adds a zone, in the place of one with the same origin. */
  add(zone: Zone): void {
    const known = this.#zones.get(zone.origin);
    if (known) known.zone = zone;
    else this.#zones.add({ key: zone.origin, hash: hashKey(zone.origin), next: undefined, index: 0, zone });
    this.#path.readKey(zone.origin);
    this.#deepest = Math.max(this.#deepest, this.#path.labels);
  }

  remove(origin: NameKey): void {
    const known = this.#zones.get(origin);
    if (known) this.#zones.delete(known);
  }

  get(origin: NameKey): Zone | undefined {
    return this.#zones.get(origin)?.zone;
  }

  *all(): Generator<Zone> {
    for (const { zone } of this.#zones.all()) yield zone;
  }

  /** The zone with the longest origin that ends the name (RFC 1034 §4.3.2 step 2). */
  find(key: NameKey): Zone | undefined {
    this.#path.readKey(key);
    return this.findAbove(this.#path, 0);
  }

  /** The same for the name without its first `label` labels. */
  findAbove(path: NamePath, label: number): Zone | undefined {
    // A hostile name has up to 127 labels; no more of them are looked up than the deepest zone has
    for (let at = Math.max(label, path.labels - this.#deepest); at <= path.labels; at++) {
      const entry = this.#zones.find(path, at);
      if (entry) return entry.zone;
    }
    return undefined;
  }
}
