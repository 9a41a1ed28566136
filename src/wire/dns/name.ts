import { WireError } from '../wire-error.ts';

/**
 * A domain name as lookups want it: the bytes of its wire form (RFC 1035 §3.1), A-Z in lower case (RFC 4343), one
 * character per byte, the root's zero included. The end of a key that begins at a label is the key of a parent.
 */
export type NameKey = string & { readonly NameKey: unique symbol };

/** Octets of a label, and of a whole name with its length octets (RFC 1035 §2.3.4). */
const MAX_LABEL = 63;
const MAX_NAME = 255;

/** The two top bits of a length octet that make it a pointer (RFC 1035 §4.1.4). */
const POINTER = 0xc0;
const ROOT = '\0' as NameKey;
const LABEL = /^[\x21-\x2d\x2f-\x7e]{1,63}$/;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/** Where a name in a message stops, and the key of it. */
export interface WireName {
  readonly key: NameKey;
  /** Offset of the first byte behind it. */
  readonly end: number;
}

/** Reads the uncompressed name at `start`. Throws WireError for one that is cut off, too long, or compressed. */
export function readName(bytes: Uint8Array, start: number): WireName {
  let at = start;
  let upper = false;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new WireError('a name runs past the end');
    if (length > MAX_LABEL) throw new WireError('a name here has no pointers and no extended labels');
    const next = at + 1 + length;
    if (next - start > MAX_NAME) throw new WireError('a name longer than 255 octets');
    if (next > bytes.length) throw new WireError('a label runs past the end');
    if (length === 0) return { key: keyOf(bytes, start, next, upper), end: next };
    upper = hasUpper(bytes, at + 1, next) || upper;
    at = next;
  }
}

/** The offset behind the name at `start`. A pointer ends it and must point back; what it points at is not read. */
export function skipName(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new WireError('a name runs past the end');
    if (length >= POINTER) return skipPointer(bytes, at, start);
    if (length > MAX_LABEL) throw new WireError('an extended label');
    at += 1 + length;
    if (at - start > MAX_NAME) throw new WireError('a name longer than 255 octets');
    if (length === 0) return at;
  }
}

function skipPointer(bytes: Uint8Array, at: number, start: number): number {
  const low = bytes[at + 1];
  if (low === undefined) throw new WireError('a pointer runs past the end');
  const target = (((bytes[at] ?? 0) & ~POINTER) << 8) | low;
  if (target >= start) throw new WireError('a pointer that does not go back');
  return at + 2;
}

function hasUpper(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= UPPER_A && byte <= UPPER_Z) return true;
  }
  return false;
}

function keyOf(bytes: Uint8Array, from: number, to: number, upper: boolean): NameKey {
  if (upper) return lowered(bytes.subarray(from, to)).toString('latin1') as NameKey;
  // A view costs as much as the rest of this function: receive buffers are Buffers already
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', from, to) as NameKey;
}

/** A copy with A-Z in lower case. Length octets are below 64, so none of them is taken for a letter. */
function lowered(name: Uint8Array): Buffer {
  const copy = Buffer.from(name);
  for (let at = 0; at < copy.length; at++) {
    const byte = copy[at] ?? 0;
    if (byte >= UPPER_A && byte <= UPPER_Z) copy[at] = byte | 0x20;
  }
  return copy;
}

/** The key of "node1.rack.example", with or without the dot at the end; "." or "" is the root. Throws WireError. */
export function nameKey(text: string): NameKey {
  const trimmed = text.endsWith('.') ? text.slice(0, -1) : text;
  let key: NameKey | undefined = ROOT;
  for (const label of trimmed === '' ? [] : trimmed.split('.').toReversed()) key = key && childKey(label, key);
  if (key === undefined) throw new WireError(`not a domain name: "${text}"`);
  return key;
}

/** The key of `label` under `parent`; undefined for what is no label of 1 to 63 printable characters, or too long in all. */
export function childKey(label: string, parent: NameKey): NameKey | undefined {
  if (!LABEL.test(label) || 1 + label.length + parent.length > MAX_NAME) return undefined;
  return (String.fromCharCode(label.length) + label.toLowerCase() + parent) as NameKey;
}

/** The key one label up; undefined above the root. */
export function parentKey(key: NameKey): NameKey | undefined {
  const length = key.charCodeAt(0);
  return length === 0 ? undefined : (key.slice(1 + length) as NameKey);
}

/** Whether a name is `parent` or a name below it. */
export function isWithin(key: NameKey, parent: NameKey): boolean {
  let at = 0;
  while (key.length - at > parent.length) at += 1 + key.charCodeAt(at);
  return key.length - at === parent.length && key.endsWith(parent);
}

/** "node1.rack.example", "." for the root; what is not a printable character, and a dot in a label, as \DDD (RFC 1035 §5.1). */
export function keyText(key: NameKey): string {
  const labels: string[] = [];
  for (let at = 0; key.charCodeAt(at) > 0; at += 1 + key.charCodeAt(at)) {
    labels.push(escapeLabel(key.slice(at + 1, at + 1 + key.charCodeAt(at))));
  }
  return labels.length === 0 ? '.' : labels.join('.');
}

function escapeLabel(label: string): string {
  return label.replaceAll(/[^\x21-\x7e]|[.\\]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`);
}
