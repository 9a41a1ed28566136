import { encodeText, printable } from './text.ts';

/*
 * RFC 4702 §2:
 *
 *    Code   Len    Flags  RCODE1 RCODE2   Domain Name
 *   +------+------+------+------+------+------+--
 *   |  81  |   n  |      |      |      |       ...
 *   +------+------+------+------+------+------+--
 *
 *    0 1 2 3 4 5 6 7
 *   +-+-+-+-+-+-+-+-+
 *   |  MBZ  |N|E|O|S|
 *   +-+-+-+-+-+-+-+-+
 */
const SERVER_UPDATES = 1;
const OVERRIDDEN = 2;
const CANONICAL = 4;
const NO_UPDATES = 8;
const HEADER = 3;
/** RFC 4702 §2.2: what a server puts into both, as they mean nothing any more. */
const RCODE = 255;
/** RFC 1035 §2.3.4. */
const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;

/** Option 81: who puts the client's name into DNS, and what it is. */
export interface ClientFqdn {
  /** S: the server puts the address record into DNS; in a request, it is asked to. */
  readonly serverUpdates: boolean;
  /** O: the server did not do as it was asked. */
  readonly isOverridden: boolean;
  /** N: the server puts nothing into DNS; in a request, it is asked not to. */
  readonly noUpdates: boolean;
  /** E: the name is in the wire form of RFC 1035 §3.1; else in ASCII, which is deprecated and common. */
  readonly isCanonical: boolean;
  /** Labels and dots, without one at the end; empty: the client leaves the name to the server. */
  readonly name: string;
}

/**
 * Undefined for less than the three bytes before the name, and for a name that is no ASCII or, in wire form, has a
 * label past the end or a pointer. A name in wire form without the root label is one to be completed (RFC 4702 §3.1).
 */
export function decodeClientFqdn(value: Uint8Array | undefined): ClientFqdn | undefined {
  if (!value || value.length < HEADER) return undefined;
  const flags = value[0] ?? 0;
  const isCanonical = (flags & CANONICAL) !== 0;
  const name = isCanonical ? readLabels(value) : readAscii(value);
  if (name === undefined) return undefined;
  return {
    serverUpdates: (flags & SERVER_UPDATES) !== 0,
    isOverridden: (flags & OVERRIDDEN) !== 0,
    noUpdates: (flags & NO_UPDATES) !== 0,
    isCanonical,
    name,
  };
}

/** `name` as `decodeClientFqdn` gives it; a label over 63 characters is cut. In wire form it ends with the root label. */
export function encodeClientFqdn(fqdn: ClientFqdn): Uint8Array {
  const flags =
    (fqdn.serverUpdates ? SERVER_UPDATES : 0) |
    (fqdn.isOverridden ? OVERRIDDEN : 0) |
    (fqdn.isCanonical ? CANONICAL : 0) |
    (fqdn.noUpdates ? NO_UPDATES : 0);
  const name = fqdn.isCanonical ? writeLabels(fqdn.name) : encodeText(fqdn.name);
  return Uint8Array.of(flags, RCODE, RCODE, ...name);
}

/** Some clients end it with NUL. */
function readAscii(value: Uint8Array): string | undefined {
  let end = value.length;
  while (end > HEADER && value[end - 1] === 0) end--;
  return printable(value, HEADER, end)?.replace(/\.$/, '');
}

function readLabels(value: Uint8Array): string | undefined {
  const labels: string[] = [];
  if (value.length - HEADER > LONGEST_NAME) return undefined;
  for (let at = HEADER; at < value.length;) {
    const size = value[at] ?? 0;
    if (size === 0) break;
    const end = at + 1 + size;
    if (size > LONGEST_LABEL || end > value.length) return undefined;
    const label = printable(value, at + 1, end);
    if (label === undefined) return undefined;
    labels.push(label);
    at = end;
  }
  return labels.join('.');
}

/** No name at all has no root label either: it is the server's to choose (RFC 4702 §3.3). */
function writeLabels(name: string): number[] {
  if (name === '') return [];
  const labels = name.split('.').map((label) => [...encodeText(label.slice(0, LONGEST_LABEL))]);
  return [...labels.flatMap((label) => [label.length, ...label]), 0];
}
