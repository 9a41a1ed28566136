import type { EventBody, RackEvent } from '../../src/timeline/event.ts';

export const NODE1 = '52:54:00:00:00:01';
export const NODE2 = '52:54:00:00:00:02';

/** An event at millisecond `at`, of a machine or of none. */
export function event(at: number, mac?: string, body: EventBody = { kind: 'dhcp.release' }): RackEvent {
  return { ...body, at, source: 'dhcp', ...(mac === undefined ? {} : { mac }) };
}
