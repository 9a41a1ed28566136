import { formatIp4, parseIp4, toIp4 } from './ip4.ts';

/** Octets of an address, and the 16-bit groups it is written in. */
const OCTETS = 16;
const GROUPS = 8;

/**
 * Reads "2001:db8::1" or "::ffff:192.0.2.1" (RFC 4291 §2.2) as 16 octets, one character each; undefined for bad spelling,
 * a zone ("%eth0") included.
 */
export function parseIp6(text: string): string | undefined {
  const [before = '', after, ...rest] = text.split('::');
  if (rest.length > 0) return undefined;
  const head = groupsOf(before, after === undefined);
  const tail = after === undefined ? '' : groupsOf(after, true);
  if (head === undefined || tail === undefined) return undefined;
  const gap = OCTETS - head.length - tail.length;
  // "::" stands for one group of zeros at least
  const fits = after === undefined ? gap === 0 : gap >= 2;
  return fits ? head + '\0'.repeat(gap) + tail : undefined;
}

/** The groups between colons; the last of an address may be an IPv4 address, which are two. */
function groupsOf(text: string, isLast: boolean): string | undefined {
  if (text === '') return '';
  const groups = text.split(':');
  if (groups.length > GROUPS) return undefined;
  let octets = '';
  for (const [i, group] of groups.entries()) {
    const quad = isLast && i === groups.length - 1 && group.includes('.') ? parseIp4(group) : undefined;
    if (quad !== undefined)
      octets += String.fromCharCode(quad >>> 24, (quad >>> 16) & 255, (quad >>> 8) & 255, quad & 255);
    else if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    else octets += octetsOf(Number.parseInt(group, 16));
  }
  return octets;
}

function octetsOf(group: number): string {
  return String.fromCharCode(group >>> 8, group & 255);
}

/** As RFC 5952 recommends: "2001:db8::1"; IPv4-mapped addresses end in dotted form. */
export function formatIp6(octets: string): string {
  const groups = Array.from(
    { length: GROUPS },
    (_, i) => (octets.charCodeAt(2 * i) << 8) | octets.charCodeAt(2 * i + 1),
  );
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIp4(toIp4((((groups[6] ?? 0) << 16) | (groups[7] ?? 0)) >>> 0))}`;
  }
  const { start, length } = longestGap(groups);
  const words = groups.map((group) => group.toString(16));
  if (length < 2) return words.join(':');
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zeros (RFC 5952 §4.2.3). */
function longestGap(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}
