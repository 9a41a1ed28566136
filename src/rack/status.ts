import { formatCidr } from '../addr/cidr.ts';
import { formatRange, rangeSize } from '../addr/range.ts';
import type { Counters } from '../service/letters.ts';
import { calledBy } from './boot-keeper.ts';
import type { TroubleCount } from './machine-desk.ts';
import type { Rack, RegionStanding } from './rack.ts';
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
  /** Absent: it follows none. */
  readonly region?: RegionStanding;
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
  const { plan, attempt, region, threads } = rack;
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
    ...(region && { region }),
    leases: rack.leases.size,
    machines: rack.machines.count(),
    notices: [
      ...regionNotices(region),
      ...rack.notices.all(),
      ...rack.zones.notices(),
      ...rack.boots.notices((row) => calledBy(plan, row)),
    ],
  };
}

function regionNotices(region: RegionStanding | undefined): string[] {
  if (!region?.refused) return [];
  const { version, refused } = region;
  const instead =
    version === undefined ? 'nothing of what the region says is in force' : `plan ${version} is served on instead`;
  const [first = '', ...more] = refused.faults;
  const why = more.length === 0 ? first : `${first}; and ${more.length} more`;
  return [`plan ${refused.version} of the region is refused, ${instead}: ${why}`];
}
