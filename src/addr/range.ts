import { formatIp4, parseIp4, type Ip4 } from './ip4.ts';

/** Addresses from `first` to `last`, both included; `first` is not above `last`. */
export interface Range {
  readonly first: Ip4;
  readonly last: Ip4;
}

/** Reads "192.0.2.10-192.0.2.20" (blanks around the dash allowed); undefined for bad spelling or a range that runs backwards. */
export function parseRange(text: string): Range | undefined {
  const [low, high, ...rest] = text.split('-').map((part) => part.trim());
  if (low === undefined || high === undefined || rest.length > 0) return undefined;
  const first = parseIp4(low);
  const last = parseIp4(high);
  if (first === undefined || last === undefined || first > last) return undefined;
  return { first, last };
}

/** "192.0.2.10-192.0.2.20" */
export function formatRange(range: Range): string {
  return `${formatIp4(range.first)}-${formatIp4(range.last)}`;
}

export function rangeContains(range: Range, address: Ip4): boolean {
  return address >= range.first && address <= range.last;
}

export function rangesOverlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function rangeSize(range: Range): number {
  return range.last - range.first + 1;
}
