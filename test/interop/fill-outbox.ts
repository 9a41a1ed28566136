import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { formatMac, type Mac } from '../../src/addr/mac.ts';
import { openOutbox } from '../../src/sync/open-outbox.ts';
import { OutboxKeeper } from '../../src/sync/outbox-keeper.ts';
import type { OutboxBounds } from '../../src/sync/outbox.ts';
import type { EventBody, RackEvent } from '../../src/timeline/event.ts';

/** Of one letter, as the rack's process has it at most. */
const LETTER = 2_000;
const FIRST_MAC = 0x02_ee_00_00_00_00;

/** What one machine does from power-on to a system that runs, and later on. */
const STEPS: readonly (EventBody & { readonly source: RackEvent['source'] })[] = [
  { source: 'dhcp', kind: 'dhcp.discover', arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003016' },
  { source: 'dhcp', kind: 'dhcp.offer', leaseSeconds: 3600, bootFile: 'snponly.efi' },
  { source: 'dhcp', kind: 'dhcp.request', state: 'selecting', wanted: '10.32.0.1' },
  { source: 'dhcp', kind: 'dhcp.ack', expires: 1_800_000_000, bootFile: 'snponly.efi' },
  { source: 'tftp', kind: 'tftp.sent', file: 'snponly.efi', bytes: 262_144, milliseconds: 180, retransmitted: 0 },
  { source: 'http', kind: 'http.sent', path: '/ipxe/boot.ipxe', status: 200, bytes: 412, milliseconds: 2 },
  { source: 'http', kind: 'http.sent', path: '/noble/vmlinuz', status: 200, bytes: 14_928_264, milliseconds: 140 },
  { source: 'dns', kind: 'dns.first-question', name: 'archive.ubuntu.com', type: 'A', answer: 'NOERROR' },
  { source: 'dhcp', kind: 'dhcp.request', state: 'renewing', wanted: '10.32.0.1' },
  { source: 'dhcp', kind: 'dhcp.ack', expires: 1_800_000_000, name: 'node' },
];

/** An event that says of itself which it is. */
export type NumberedEvent = RackEvent & { readonly turn: number };

export interface Stretch {
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Of the first event, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly machines: number;
}

/** What so many machines that come, stay and go have a rack tell in a stretch of time, evenly. */
export function* eventsOf({ from, to, first, count, machines }: Stretch): Generator<NumberedEvent> {
  for (let turn = first; turn < first + count; turn++) {
    const step = STEPS[Math.floor(turn / machines) % STEPS.length];
    if (!step) continue;
    const machine = turn % machines;
    const at = Math.floor(from + ((to - from) * (turn - first)) / count);
    const address = `10.32.${machine >> 8}.${machine & 255}`;
    yield { ...step, at, mac: formatMac((FIRST_MAC + machine) as Mac), address, turn };
  }
}

/**
 * Has the rack's own code write what is told in a stretch of time into the outbox of a rack that does not run, by a clock that goes on with it: what a daemon
 * finds then is what one would have left that was told of them while its region was away.
 */
export function fillOutbox(state: string, bounds: OutboxBounds, stretch: Stretch): void {
  let now = stretch.from;
  let last = 0;
  let taken = 0;
  const clock = { now: () => now, monotonic: () => now };
  const keeper = new OutboxKeeper(
    {
      clock,
      loop: { after: () => ({ cancel: () => undefined }) },
      events: { emit: () => undefined },
      open: (within) => openOutbox(join(state, 'outbox.db'), clock, within),
      taken: (letter) => (taken = letter),
      wishForLeases: () => undefined,
      filled: () => undefined,
    },
    bounds,
  );
  const life = randomUUID();
  let waiting: RackEvent[] = [];
  const write = (): void => {
    now = waiting.at(-1)?.at ?? now;
    const lines = waiting.map((event) => JSON.stringify(event)).join('\n');
    keeper.take({ kind: 'events', life, number: ++last, lines });
    waiting = [];
  };
  for (const event of eventsOf(stretch)) if (waiting.push(event) === LETTER) write();
  write();
  keeper.close();
  if (taken !== last) throw new Error(`of ${last} letters ${taken} were taken`);
}
