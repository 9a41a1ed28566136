import { WireError } from '../wire-error.ts';
import type { NameKey } from './name.ts';

/** The two top bits of a length octet that make it a pointer (RFC 1035 §4.1.4). */
const POINTER = 0xc0;
const MAX_LABEL = 63;
const MAX_NAME = 255;

/** A name that was read out of a message, compressed or not. */
export interface ExpandedName {
  /** Its wire form without pointers, as it is spelled, one character per byte. */
  readonly name: string;
  /** The offset behind it, where it stands. */
  readonly end: number;
}

/** What of a message was read already: by offset, the rest of a name that stands there. */
export type NameEnds = Map<number, string>;

/**
 * Reads the name at `start`. Each pointer must lead to before the piece of the name that it ends, so that none is
 * followed twice; a name has at most 127 of them in any case. With `ends`, which belong to the message, none is followed
 * twice for all its names: thousands may point at one of a hundred labels. Throws WireError.
 */
export function expandName(bytes: Uint8Array, start: number, ends?: NameEnds): ExpandedName {
  let name = '';
  const followed: (readonly [target: number, from: number])[] = [];
  let at = start;
  let piece = start;
  let end: number | undefined;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new WireError('a name runs past the end');
    if (length >= POINTER) {
      const target = pointerAt(bytes, at, piece);
      end ??= at + 2;
      const rest = ends?.get(target);
      if (rest !== undefined) {
        if (name.length + rest.length > MAX_NAME) throw new WireError('a name longer than 255 octets');
        name += rest;
        break;
      }
      followed.push([target, name.length]);
      at = target;
      piece = target;
      continue;
    }
    if (length > MAX_LABEL) throw new WireError('an extended label');
    const next = at + 1 + length;
    if (next > bytes.length) throw new WireError('a label runs past the end');
    if (name.length + 1 + length > MAX_NAME) throw new WireError('a name longer than 255 octets');
    name += latin1(bytes, at, next);
    at = next;
    if (length === 0) break;
  }
  if (ends) for (const [target, from] of followed) ends.set(target, name.slice(from));
  return { name, end: end ?? at };
}

function pointerAt(bytes: Uint8Array, at: number, piece: number): number {
  const low = bytes[at + 1];
  if (low === undefined) throw new WireError('a pointer runs past the end');
  const target = (((bytes[at] ?? 0) & ~POINTER) << 8) | low;
  if (target >= piece) throw new WireError('a pointer that does not go back');
  return target;
}

/** The key of a name in wire form. Its length octets are below 64, so that none of them is taken for a letter. */
export function keyOfName(name: string): NameKey {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) as NameKey;
}

/** A view costs as much as the copy: receive buffers are Buffers already. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', from, to);
}
