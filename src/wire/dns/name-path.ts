import { WireError } from '../wire-error.ts';
import type { NameKey } from './name.ts';

/** Octets of a label, and of a whole name with its length octets (RFC 1035 §2.3.4). */
const MAX_LABEL = 63;
const MAX_NAME = 255;
const MAX_LABELS = 128;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/**
 * Of hashes. Machines choose their names, and may be many: with a start nobody can foretell, none of them can choose
 * names that all fall into one place of a table.
 */
const SEED = Math.floor(Math.random() * 0x1_0000_0000) | 0;

/**
 * A name taken apart for lookups, in memory that is used again for the next one: its bytes in lower case, where its
 * labels begin, and a hash of it and of each of its parents. `label` counts from 0, the first; the root is the last.
 */
export class NamePath {
  /** Lower case, the root's zero included. */
  readonly bytes = new Uint8Array(MAX_NAME);
  readonly #starts = new Uint8Array(MAX_LABELS);
  readonly #hashes = new Int32Array(MAX_LABELS);
  #length = 0;
  #labels = 0;

  /** In octets. */
  get length(): number {
    return this.#length;
  }

  /** The root not counted. */
  get labels(): number {
    return this.#labels;
  }

  /** Where in `bytes` the name without its first `label` labels begins. */
  start(label: number): number {
    return this.#starts[label] ?? 0;
  }

  /** The hash of that name, as `hashKey` has it. */
  hash(label: number): number {
    return this.#hashes[label] ?? 0;
  }

  /** Reads the uncompressed name at `start` and returns the offset behind it; throws WireError as `readName` does. */
  read(bytes: Uint8Array, start: number): number {
    let at = start;
    let labels = 0;
    let to = 0;
    for (;;) {
      const length = bytes[at];
      if (length === undefined) throw new WireError('a name runs past the end');
      if (length > MAX_LABEL) throw new WireError('a name here has no pointers and no extended labels');
      const next = at + 1 + length;
      if (next - start > MAX_NAME) throw new WireError('a name longer than 255 octets');
      if (next > bytes.length) throw new WireError('a label runs past the end');
      this.#starts[labels] = to;
      for (; at < next; at++, to++) {
        const byte = bytes[at] ?? 0;
        this.bytes[to] = byte >= UPPER_A && byte <= UPPER_Z ? byte | 0x20 : byte;
      }
      if (length === 0) break;
      labels++;
    }
    this.#finish(to, labels);
    return at;
  }

  readKey(key: NameKey): void {
    let labels = 0;
    let next = 0;
    for (let at = 0; at < key.length; at++) {
      const byte = key.charCodeAt(at);
      this.bytes[at] = byte;
      if (at < next) continue;
      this.#starts[labels++] = at;
      next = at + 1 + byte;
    }
    this.#finish(key.length, labels - 1);
  }

  /** The key of the name without its first `label` labels. */
  key(label = 0): NameKey {
    return Buffer.from(this.bytes.buffer).toString('latin1', this.start(label), this.#length) as NameKey;
  }

  /** Whether the name without its first `label` labels has this key. */
  equals(key: NameKey, label: number): boolean {
    const start = this.start(label);
    if (key.length !== this.#length - start) return false;
    for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) !== this.bytes[start + at]) return false;
    return true;
  }

  /** From the root to the first label, so that each parent's hash is made on the way. */
  #finish(length: number, labels: number): void {
    this.#length = length;
    this.#labels = labels;
    let hash = SEED;
    let at = length - 1;
    for (let label = labels; label >= 0; label--) {
      for (const start = this.start(label); at >= start; at--) hash = mix(hash, this.bytes[at] ?? 0);
      this.#hashes[label] = hash;
    }
  }
}

/** The hash of a whole key. */
export function hashKey(key: NameKey): number {
  let hash = SEED;
  for (let at = key.length - 1; at >= 0; at--) hash = mix(hash, key.charCodeAt(at));
  return hash;
}

/** The hash of "*" under the parent with this hash. */
export function hashWildcard(parent: number): number {
  return mix(mix(parent, 0x2a), 1);
}

function mix(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
