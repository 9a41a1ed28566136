import { parentKey, type NameKey } from '../wire/dns/name.ts';
import type { Zone } from './zone.ts';

/** The zones served now, and which of them a name belongs to. */
export class ZoneSet {
  readonly #zones = new Map<NameKey, Zone>();
  #deepest = 0;

  /** Adds a zone, in the place of one with the same origin. */
  add(zone: Zone): void {
    this.#zones.set(zone.origin, zone);
    this.#deepest = Math.max(this.#deepest, depth(zone.origin));
  }

  get(origin: NameKey): Zone | undefined {
    return this.#zones.get(origin);
  }

  all(): Iterable<Zone> {
    return this.#zones.values();
  }

  /** The zone with the longest origin that ends the name (RFC 1034 §4.3.2 step 2). */
  find(key: NameKey): Zone | undefined {
    let name: NameKey | undefined = key;
    // A hostile name has up to 127 labels; no more of them are looked up than the deepest zone has
    for (let extra = depth(key) - this.#deepest; extra > 0 && name !== undefined; extra--) name = parentKey(name);
    while (name !== undefined) {
      const zone = this.#zones.get(name);
      if (zone) return zone;
      name = parentKey(name);
    }
    return undefined;
  }
}

/** Labels of a name, the root not counted. */
function depth(key: NameKey): number {
  let labels = 0;
  for (let at = 0; key.charCodeAt(at) > 0; at += 1 + key.charCodeAt(at)) labels++;
  return labels;
}
