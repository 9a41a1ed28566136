import { join } from 'node:path';

import { systemClock } from '../../src/system/clock.ts';
import { toIp4 } from '../../src/addr/ip4.ts';
import { parseRange } from '../../src/addr/range.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { BootRow } from '../../src/boots/boot-row.ts';
import { MachineDesk } from '../../src/rack/machine-desk.ts';
import { LeaseTable } from '../../src/service/lease-table.ts';
import { Vendors } from '../../src/rack/vendors.ts';
import { Notices } from '../../src/rack/notices.ts';
import type { PlanAttempt } from '../../src/rack/plan-source.ts';
import type { Rack } from '../../src/rack/rack.ts';
import type { RegionDesk } from '../../src/rack/region-desk.ts';
import type { KeptZone } from '../../src/rack/zone-keeper.ts';
import type { LeaseAnswer, LeaseOrder, ToService, ZoneAnswer, ZoneOrder } from '../../src/service/letters.ts';
import type { WatchAnswer, WatchOrder } from '../../src/service/watch-letters.ts';
import { matches, type EventFilter } from '../../src/timeline/event-filter.ts';
import type { EventPage, EventStore } from '../../src/timeline/event-store.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { Timeline } from '../../src/timeline/timeline.ts';
import { NO_DNS } from '../plan/no-dns.ts';

const LEASE_SECONDS = 3600;

export const PLAN: Plan = {
  rack: { name: 'rack-t', state: '/nowhere', control: '/nowhere/control.sock' },
  subnets: [
    {
      cidr: { network: toIp4(0xc0000200), prefix: 24 },
      interface: 'eth0',
      rackAddress: toIp4(0xc0000201),
      management: 'dhcp+dns',
      ...rangeOf('192.0.2.10-192.0.2.19'),
      broadcast: toIp4(0xc00002ff),
      dns: [],
      leaseSeconds: LEASE_SECONDS,
    },
    {
      cidr: { network: toIp4(0x0a000000), prefix: 8 },
      management: 'none',
      broadcast: toIp4(0x0affffff),
      dns: [],
      leaseSeconds: LEASE_SECONDS,
    },
  ],
  hosts: [],
  boot: { files: '/nowhere', default: 'local', entries: [], loaders: {} },
  http: { port: 5248 },
  tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
  dns: NO_DNS,
  admin: { address: toIp4(0x7f000001), port: 5249 },
  log: { level: 'info' },
  timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
};

function rangeOf(text: string): Pick<Plan['subnets'][number], 'dynamic'> {
  const dynamic = parseRange(text);
  return dynamic ? { dynamic } : {};
}

/** A store in memory. */
class MemoryStore implements EventStore {
  readonly #events: RackEvent[] = [];

  write(events: readonly RackEvent[]): void {
    this.#events.push(...events);
  }

  find(filter: EventFilter & { readonly limit: number }): RackEvent[] {
    return this.#events.filter((event) => matches(event, filter)).slice(-filter.limit);
  }

  newest(): number {
    return this.#events.length;
  }

  page(after: number, until: number, limit: number): EventPage {
    const events = this.#events.slice(after, Math.min(until, after + limit));
    return { events, last: events.length === 0 ? until : after + events.length };
  }

  bound(): void {}

  prune(): void {}

  close(): void {
    this.#events.length = 0;
  }
}

/** What the operators' plane sees of a rack, without the rack. */
export class FakeRack {
  plan = PLAN;
  attempt: Omit<PlanAttempt, 'plan'> & { readonly plan: Plan | undefined } = {
    at: 1_700_000_000_000,
    plan: PLAN,
    faults: [],
    conflicts: [],
  };
  standing: Rack['standing'] = undefined;
  readonly startedAt = 1_600_000_000_000;
  readonly leases = new LeaseTable(systemClock);
  readonly timeline = new Timeline(new MemoryStore());
  readonly sent: (readonly [service: string, letter: ToService])[] = [];
  readonly orders: LeaseOrder[] = [];
  answer: LeaseAnswer = { done: [], refused: [] };
  readonly notices = new Notices();
  readonly vendors = new Vendors(join(import.meta.dirname, '../../etc/vendors.txt'));
  readonly boots = { notices: (): string[] => [], rows: (): BootRow[] => [] };
  readonly machines = new MachineDesk(
    {
      clock: { now: () => this.now },
      leases: this.leases,
      boots: this.boots,
      vendorOf: (mac) => this.vendors.of(mac),
      later: setImmediate,
    },
    PLAN,
  );
  now = 1_700_000_000_000;
  readonly kept: KeptZone[] = [];
  region: Pick<RegionDesk, 'state'> = { state: undefined };
  readonly zones = { notices: (): string[] => [], zones: () => this.kept };
  readonly zoneOrders: ZoneOrder[] = [];
  zoneAnswer: ZoneAnswer = { zones: [] };
  readonly watchOrders: WatchOrder[] = [];
  watchAnswer: WatchAnswer = { neighbours: [], conflicts: [], servers: [] };
  reloads = 0;
  readonly threads = (['dhcp', 'dns', 'tftp'] as const).map((name) => ({
    name,
    state: name === 'tftp' ? 'failed' : 'serving',
    restarts: name === 'tftp' ? 2 : 0,
    counters: { received: 4 },
    send: (letter: ToService) => this.sent.push([name, letter]),
    order: (order: LeaseOrder) => {
      this.orders.push(order);
      return Promise.resolve(this.answer);
    },
    orderZones: (order: ZoneOrder) => {
      this.zoneOrders.push(order);
      return Promise.resolve(this.zoneAnswer);
    },
  }));

  watch(order: WatchOrder): Promise<WatchAnswer> {
    this.watchOrders.push(order);
    return Promise.resolve(this.watchAnswer);
  }

  reload(): Promise<void> {
    this.reloads++;
    return Promise.resolve();
  }

  /** As those who take a whole Rack want it. */
  get rack(): Rack {
    return this as unknown as Rack;
  }
}
