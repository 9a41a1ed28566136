import { WireError } from '../wire-error.ts';
import { latin1, type ExpandedName } from './compressed-name.ts';

/** The two top bits of a length octet that make it a pointer (RFC 1035 §4.1.4). */
const POINTER = 0xc0;
const MAX_LABEL = 63;
const MAX_NAME = 255;

/**
 * The names of one message, each piece of them read once however many pointers lead to it: a message of 64 KB has room for
 * thousands of pointers to a name of a hundred labels. What is read, and refused, is what `expandName` reads and refuses.
 */
export class MessageNames {
  readonly #bytes: Uint8Array;
  /** Whole names, by where they, or their ends, begin. */
  readonly #known = new Map<number, string>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads the name at `start`. Throws WireError. */
  expand(start: number): ExpandedName {
    const pieces: { readonly at: number; readonly text: string }[] = [];
    let length = 0;
    let end: number | undefined;
    let tail: string | undefined;
    for (let at = start; tail === undefined;) {
      const stop = this.#endOfPiece(at);
      const isLast = this.#bytes[stop] === 0;
      const text = latin1(this.#bytes, at, isLast ? stop + 1 : stop);
      end ??= stop + (isLast ? 1 : 2);
      pieces.push({ at, text });
      length += text.length;
      if (length > MAX_NAME) throw new WireError('a name longer than 255 octets');
      const target = isLast ? undefined : this.#pointerAt(stop, at);
      if (target !== undefined) at = target;
      tail = target === undefined ? '' : this.#known.get(target);
    }
    if (length + tail.length > MAX_NAME) throw new WireError('a name longer than 255 octets');
    const name = pieces.reduceRight((rest, { at, text }) => {
      const whole = text + rest;
      this.#known.set(at, whole);
      return whole;
    }, tail);
    return { name, end: end ?? start };
  }

  /** Where the labels from `start` on end: at a pointer, or at the root. */
  #endOfPiece(start: number): number {
    for (let at = start; ;) {
      const length = this.#bytes[at];
      if (length === undefined) throw new WireError('a name runs past the end');
      if (length === 0 || length >= POINTER) return at;
      if (length > MAX_LABEL) throw new WireError('an extended label');
      at += 1 + length;
      if (at > this.#bytes.length) throw new WireError('a label runs past the end');
      if (at - start > MAX_NAME) throw new WireError('a name longer than 255 octets');
    }
  }

  #pointerAt(at: number, piece: number): number {
    const low = this.#bytes[at + 1];
    if (low === undefined) throw new WireError('a pointer runs past the end');
    const target = (((this.#bytes[at] ?? 0) & ~POINTER) << 8) | low;
    if (target >= piece) throw new WireError('a pointer that does not go back');
    return target;
  }
}
