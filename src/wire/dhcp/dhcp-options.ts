import { WireError } from '../wire-error.ts';
import { OptionCode } from './option-code.ts';

const SMALL = 16;

/** One option: its number and its value without code and length. */
export interface DhcpOption {
  readonly code: number;
  readonly value: Uint8Array;
}

/**
 * Options where they lie in a packet. Values are views of its bytes, valid as long as those are; only a value that came in
 * several pieces is a copy.
 *
 * A packet has some fifteen options and few are asked for, so the index is where each begins and a look-up walks it:
 * cheaper than a map or a view per option.
 */
export class DhcpOptions implements Iterable<DhcpOption> {
  readonly #bytes: Uint8Array;
  /** Offsets of the code bytes, in decoding order; each option was seen to end inside `#bytes`. */
  readonly #places: readonly number[];

  constructor(bytes: Uint8Array, places: readonly number[]) {
    this.#bytes = bytes;
    this.#places = places;
  }

  has(code: number): boolean {
    return this.#find(code, 0) >= 0;
  }

  /** The value; the pieces of a split one are joined in decoding order (RFC 3396). */
  get(code: number): Uint8Array | undefined {
    const first = this.#find(code, 0);
    if (first < 0) return undefined;
    const second = this.#find(code, first + 1);
    return second < 0 ? this.#valueAt(first) : this.#join(code, first);
  }

  /** Every option once, at its first piece's turn. */
  *[Symbol.iterator](): IterableIterator<DhcpOption> {
    const seen = new Set<number>();
    for (const place of this.#places) {
      const code = this.#bytes[place] ?? 0;
      const value = seen.has(code) ? undefined : this.get(code);
      seen.add(code);
      if (value) yield { code, value };
    }
  }

  /** Index of the first place from `from` on that holds `code`, or -1. */
  #find(code: number, from: number): number {
    const bytes = this.#bytes;
    const places = this.#places;
    for (let i = from; i < places.length; i++) {
      if (bytes[places[i] ?? 0] === code) return i;
    }
    return -1;
  }

  #valueAt(index: number): Uint8Array {
    const start = (this.#places[index] ?? 0) + 2;
    return this.#bytes.subarray(start, start + (this.#bytes[start - 1] ?? 0));
  }

  #join(code: number, first: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let i = first; i >= 0; i = this.#find(code, i + 1)) pieces.push(this.#valueAt(i));
    const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }
}

export const NO_OPTIONS = new DhcpOptions(new Uint8Array(0), []);

/**
 * Appends to `places` where each option between `start` and `end` begins, up to End; a missing End is
 * forgiven. Throws WireError when an option runs past `end`.
 */
export function findOptions(bytes: Uint8Array, start: number, end: number, places: number[]): void {
  let at = start;
  while (at < end) {
    const code = bytes[at] ?? 0;
    if (code === OptionCode.end) return;
    if (code === OptionCode.pad) {
      at++;
      continue;
    }
    const next = at + 2 + (bytes[at + 1] ?? 0);
    if (next > end) throw overrun(bytes, at, end);
    places.push(at);
    at = next;
  }
}

/** Writes options at `start`, one longer than 255 bytes as several (RFC 3396), and returns where they end. */
export function writeOptions(options: Iterable<DhcpOption>, into: Uint8Array, start: number, limit: number): number {
  let at = start;
  for (const option of options) at = writeOption(option, into, at, limit);
  return at;
}

/** Writes one option at `start` and returns where it ends. Throws WireError when that is past `limit`. */
export function writeOption({ code, value }: DhcpOption, into: Uint8Array, start: number, limit: number): number {
  const isOption = code > OptionCode.pad && code < OptionCode.end;
  if (!isOption) throw new WireError(`expected an option from 1 to 254, found ${code}`);
  let at = start;
  let from = 0;
  do {
    const size = Math.min(value.length - from, 255);
    const end = at + 2 + size;
    if (end > limit) throw new WireError(`option ${code} ends at byte ${end}, expected at most ${limit}`);
    into[at] = code;
    into[at + 1] = size;
    copy(value, from, size, into, at + 2);
    at = end;
    from += size;
  } while (from < value.length);
  return at;
}

/** Most values have a few bytes: for those a loop is cheaper than what a view and a call cost. */
function copy(value: Uint8Array, from: number, size: number, into: Uint8Array, at: number): void {
  if (size > SMALL) into.set(size === value.length ? value : value.subarray(from, from + size), at);
  else for (let i = 0; i < size; i++) into[at + i] = value[from + i] ?? 0;
}

function overrun(bytes: Uint8Array, at: number, end: number): WireError {
  const length = bytes[at + 1];
  if (at + 2 > end || length === undefined) return new WireError(`option ${bytes[at]} at byte ${at} has no length`);
  return new WireError(`option ${bytes[at]} at byte ${at} expects ${length} bytes, found ${end - at - 2}`);
}
