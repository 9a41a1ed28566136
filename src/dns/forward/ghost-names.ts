import type { NameKey } from '../../wire/dns/name.ts';

/** A power of two; 128 KiB in all. */
const PLACES = 32_768;

/** Which questions left the cache lately: hashes in a table where a later one takes the place of an earlier. */
export class GhostNames {
  readonly #hashes = new Uint32Array(PLACES);

  remember(key: NameKey, slot: number): void {
    const hash = hashOf(key, slot);
    this.#hashes[hash % PLACES] = hash;
  }

  /** Whether it was remembered; it is no more. */
  recall(key: NameKey, slot: number): boolean {
    const hash = hashOf(key, slot);
    if (this.#hashes[hash % PLACES] !== hash) return false;
    this.#hashes[hash % PLACES] = 0;
    return true;
  }
}

/** FNV-1a; never 0. Who makes names collide only has them kept a little longer. */
function hashOf(key: NameKey, slot: number): number {
  let hash = (0x811c9dc5 ^ slot) >>> 0;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}
