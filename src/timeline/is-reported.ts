import type { EventBody } from './event.ts';

/** What a region is never told: each question to the DNS server is for a look at this rack. */
const NOISE: ReadonlySet<string> = new Set<EventBody['kind']>(['dns.query']);
/**
 * Worth nothing when it is told late: that a neighbour is still there is told of each every ten minutes, and of a thousand of them
 * would push out what happened while the region was away.
 */
const PASSING: ReadonlySet<string> = new Set<EventBody['kind']>(['neighbour.refreshed']);

/** Whether a region is told of it. */
export function isReported({ kind }: { readonly kind: string }): boolean {
  return !NOISE.has(kind);
}

/** Whether it waits for a region that is away. */
export function isKeptForRegion({ kind }: { readonly kind: string }): boolean {
  return !PASSING.has(kind);
}
