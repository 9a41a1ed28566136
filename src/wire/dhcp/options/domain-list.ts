import { printable } from './text.ts';

/** Octets of a name in its wire form (RFC 1035 §2.3.4). */
const LONGEST_NAME = 255;
/** The two top bits of a length octet that make it a pointer, and the farthest it reaches (RFC 1035 §4.1.4). */
const POINTER = 0xc0;
const FARTHEST = 0x3fff;

/**
 * Option 119 (RFC 3397 §2): names as in DNS messages, pointers counted from the beginning of the option, whose pieces the
 * caller has joined. Names as text, without a dot at the end. Undefined for none, and for anything that is no name: a
 * label cut off or not printable, an empty name, a pointer that does not go back.
 */
export function decodeDomainList(value: Uint8Array | undefined): readonly string[] | undefined {
  if (!value || value.length === 0) return undefined;
  const names: string[] = [];
  for (let at = 0; at < value.length;) {
    const name = readName(value, at);
    if (!name) return undefined;
    names.push(name.text);
    at = name.end;
  }
  return names;
}

/** `names`: labels of 1 to 63 characters. A tail that stood there before becomes a pointer: RFC 3397 §2 wants it. */
export function encodeDomainList(names: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  const tails = new Map<string, number>();
  for (const name of names) writeName(name, bytes, tails);
  return Uint8Array.from(bytes);
}

function readName(value: Uint8Array, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let [at, size, end, limit] = [start, 0, 0, start];
  for (;;) {
    const length = value[at];
    if (length === undefined) return undefined;
    if (length === 0) return labels.length === 0 ? undefined : { text: labels.join('.'), end: end || at + 1 };
    if (length >= POINTER) {
      const target = ((length & ~POINTER) << 8) | (value[at + 1] ?? FARTHEST);
      // Each goes back farther than the one before, so the walk ends
      if (target >= limit) return undefined;
      end ||= at + 2;
      [at, limit] = [target, target];
      continue;
    }
    const label = length >= 64 ? undefined : labelAt(value, at + 1, length);
    size += 1 + length;
    if (label === undefined || size >= LONGEST_NAME) return undefined;
    labels.push(label);
    at += 1 + length;
  }
}

/** A label with a dot in it could not be told from two. */
function labelAt(value: Uint8Array, start: number, length: number): string | undefined {
  const label = start + length > value.length ? undefined : printable(value, start, start + length);
  return label === undefined || /[. ]/.test(label) ? undefined : label;
}

function writeName(name: string, bytes: number[], tails: Map<string, number>): void {
  const labels = name.split('.');
  for (const [i, label] of labels.entries()) {
    const tail = labels.slice(i).join('.').toLowerCase();
    const known = tails.get(tail);
    if (known !== undefined) {
      bytes.push(POINTER | (known >>> 8), known & 255);
      return;
    }
    if (bytes.length <= FARTHEST) tails.set(tail, bytes.length);
    bytes.push(label.length, ...Array.from(label, (letter) => letter.charCodeAt(0)));
  }
  bytes.push(0);
}
