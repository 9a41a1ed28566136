import { formatCidr } from '../addr/cidr.ts';
import { formatRange, rangeSize } from '../addr/range.ts';
import type { Counters } from '../service/letters.ts';
import { calledBy } from './boot-keeper.ts';
import type { TroubleCount } from './machine-desk.ts';
import type { Rack } from './rack.ts';
import type { ThreadState } from './service-thread.ts';

/** How the rack is: what `rackboot status` prints and `GET /status` answers. Times are ISO 8601. */
export interface RackStatus {
  readonly rack: string;
  readonly since: string;
  readonly config: {
    readonly file: string;
    /** When the file was last read. */
    readonly read: string;
    /** `refused`: the file as it is now can't be served; the Plan before it is. */
    readonly state: 'applied' | 'refused';
    readonly faults: readonly string[];
  };
  readonly services: Readonly<Record<string, ServiceStatus>>;
  readonly subnets: readonly SubnetStatus[];
  readonly leases: number;
  /** What is in force of what the region says; absent: nothing. */
  readonly region?: { readonly version: number; readonly conflicts: readonly string[] };
  /** Machines that were heard of, and how many of them are in which trouble. */
  readonly machines: TroubleCount;
  /** What an operator should know and perhaps do something about, one sentence each. */
  readonly notices: readonly string[];
}

interface ServiceStatus {
  readonly state: ThreadState;
  readonly restarts: number;
  readonly counters: Counters;
}

interface SubnetStatus {
  readonly cidr: string;
  readonly interface?: string;
  readonly management: string;
  readonly dynamic?: string;
  readonly addresses?: number;
}

export function statusOf(rack: Rack, file: string): RackStatus {
  const { plan, attempt, threads } = rack;
  return {
    rack: plan.rack.name,
    since: new Date(rack.startedAt).toISOString(),
    config: {
      file,
      read: new Date(attempt.at).toISOString(),
      state: attempt.plan ? 'applied' : 'refused',
      faults: attempt.faults,
    },
    services: Object.fromEntries(
      threads.map(({ name, state, restarts, counters }) => [name, { state, restarts, counters }]),
    ),
    subnets: plan.subnets.map((subnet) => ({
      cidr: formatCidr(subnet.cidr),
      ...(subnet.interface === undefined ? {} : { interface: subnet.interface }),
      management: subnet.management,
      ...(subnet.dynamic ? { dynamic: formatRange(subnet.dynamic), addresses: rangeSize(subnet.dynamic) } : {}),
    })),
    ...(attempt.answer && { region: { version: attempt.answer.version, conflicts: attempt.conflicts } }),
    leases: rack.leases.size,
    machines: rack.machines.count(),
    notices: [...rack.notices.all(), ...rack.zones.notices(), ...rack.boots.notices((row) => calledBy(plan, row))],
  };
}
