import { broadcastOf, type Cidr } from '../../addr/cidr.ts';
import { formatIp4, toIp4, type Ip4 } from '../../addr/ip4.ts';
import { rangeSize, type Range } from '../../addr/range.ts';

/** Addresses that are not free, and what for. */
export interface Use {
  readonly range: Range;
  readonly purpose: string;
}

/** The addresses that machines can have: a /31 or /32 has no network and broadcast address (RFC 3021 §2.1). */
export function usableOf(cidr: Cidr): Range {
  const [first, last] = [cidr.network, broadcastOf(cidr)];
  return cidr.prefix >= 31 ? { first, last } : { first: next(first), last: toIp4(last - 1) };
}

/** What is between the uses, in order. */
export function gapsOf(all: Range, uses: readonly Use[]): Range[] {
  const gaps: Range[] = [];
  let free: number = all.first;
  for (const { range } of uses.toSorted((a, b) => a.range.first - b.range.first)) {
    if (range.first > free) gaps.push({ first: toIp4(free), last: toIp4(Math.min(range.first - 1, all.last)) });
    free = Math.max(free, range.last + 1);
    if (free > all.last) return gaps;
  }
  return [...gaps, { first: toIp4(free), last: all.last }];
}

export function statisticsOf(all: Range, uses: readonly Use[]) {
  const free = gapsOf(all, uses).map(rangeSize);
  const total = rangeSize(all);
  const available = free.reduce((sum, size) => sum + size, 0);
  const usage = (total - available) / total;
  return {
    num_available: available,
    largest_available: Math.max(0, ...free),
    num_unavailable: total - available,
    total_addresses: total,
    usage,
    usage_string: `${Math.round(usage * 100)}%`,
    available_string: `${100 - Math.round(usage * 100)}%`,
    first_address: formatIp4(all.first),
    last_address: formatIp4(all.last),
    ip_version: 4,
  };
}

export function rangeView(range: Range) {
  return { start: formatIp4(range.first), end: formatIp4(range.last), num_addresses: rangeSize(range) };
}

function next(address: Ip4): Ip4 {
  return toIp4(address + 1);
}
