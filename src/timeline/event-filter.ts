import type { RackEvent } from './event.ts';

/** Which events: of one machine, of one kind (`dhcp` matches all of DHCP's), at most `limit`, the newest. */
export interface EventFilter {
  readonly mac?: string;
  readonly kind?: string;
  readonly limit?: number;
}

export function matches(event: RackEvent, filter: EventFilter): boolean {
  if (filter.mac !== undefined && event.mac !== filter.mac) return false;
  return filter.kind === undefined || event.kind === filter.kind || event.kind.startsWith(`${filter.kind}.`);
}
