/**
 * SipHash-2-4 (Aumasson, Bernstein 2012), a keyed hash of 64 bits that is fast for short input. Its 64-bit words are held as pairs
 * of 32-bit numbers, as those are what JavaScript computes with.
 */
export class SipHash {
  readonly #key = new Int32Array(4);
  /** v0 to v3, the lower half of each first. */
  readonly #v = new Int32Array(8);

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#key[i] = readWord(key, i * 4);
  }

  /** Writes the hash of the first `length` bytes of `input` to `into` at `at`, 8 bytes. */
  hash(input: Uint8Array, length: number, into: Uint8Array, at: number): void {
    this.#begin();
    const whole = length - (length % 8);
    for (let from = 0; from < whole; from += 8) this.#block(readWord(input, from), readWord(input, from + 4));
    this.#block(tailWord(input, whole, length), tailWord(input, whole + 4, length) | (length << 24));
    const v = this.#v;
    v[4] = (v[4] ?? 0) ^ 0xff;
    for (let i = 0; i < 4; i++) round(v);
    writeWord(into, at, (v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0));
    writeWord(into, at + 4, (v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0));
  }

  #begin(): void {
    const [k, v] = [this.#key, this.#v];
    const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = k;
    // "somepseudorandomlygeneratedbytes"
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;
  }

  #block(low: number, high: number): void {
    const v = this.#v;
    v[6] = (v[6] ?? 0) ^ low;
    v[7] = (v[7] ?? 0) ^ high;
    round(v);
    round(v);
    v[0] = (v[0] ?? 0) ^ low;
    v[1] = (v[1] ?? 0) ^ high;
  }
}

function round(v: Int32Array): void {
  add(v, 0, 2);
  add(v, 4, 6);
  rotate(v, 2, 13);
  rotate(v, 6, 16);
  exclude(v, 2, 0);
  exclude(v, 6, 4);
  swap(v, 0);
  add(v, 4, 2);
  add(v, 0, 6);
  rotate(v, 2, 17);
  rotate(v, 6, 21);
  exclude(v, 2, 4);
  exclude(v, 6, 0);
  swap(v, 4);
}

function add(v: Int32Array, to: number, from: number): void {
  const low = ((v[to] ?? 0) >>> 0) + ((v[from] ?? 0) >>> 0);
  v[to] = low | 0;
  v[to + 1] = ((v[to + 1] ?? 0) + (v[from + 1] ?? 0) + (low > 0xffff_ffff ? 1 : 0)) | 0;
}

/** To the left, by less than 32 bits. */
function rotate(v: Int32Array, at: number, bits: number): void {
  const [low, high] = [v[at] ?? 0, v[at + 1] ?? 0];
  v[at] = (low << bits) | (high >>> (32 - bits));
  v[at + 1] = (high << bits) | (low >>> (32 - bits));
}

/** By 32 bits. */
function swap(v: Int32Array, at: number): void {
  const low = v[at] ?? 0;
  v[at] = v[at + 1] ?? 0;
  v[at + 1] = low;
}

function exclude(v: Int32Array, to: number, from: number): void {
  v[to] = (v[to] ?? 0) ^ (v[from] ?? 0);
  v[to + 1] = (v[to + 1] ?? 0) ^ (v[from + 1] ?? 0);
}

/** Little-endian, as the hash has all its words. */
function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** Of bytes that may end before it does. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < end; i++) word |= (bytes[at + i] ?? 0) << (i * 8);
  return word;
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word & 255;
  bytes[at + 1] = (word >>> 8) & 255;
  bytes[at + 2] = (word >>> 16) & 255;
  bytes[at + 3] = word >>> 24;
}
