import { formatCidr } from '../addr/cidr.ts';
import { formatRange, rangeSize } from '../addr/range.ts';
import type { Counters } from '../service/letters.ts';
import type { RegionState } from '../service/region-letters.ts';
import type { TroubleCount } from './machine-desk.ts';
import { noticesOf } from './notices-of.ts';
import type { Rack } from './rack.ts';
import type { RegionStanding } from './region-standing.ts';
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
  /** How it is between this rack and its region; absent: it follows none. */
  readonly region?: RegionStatus;
  /** Machines that were heard of, and how many of them are in which trouble. */
  readonly machines: TroubleCount;
  /** What an operator should know and perhaps do something about, one sentence each. */
  readonly notices: readonly string[];
}

type RegionStatus = RegionStanding & Partial<RegionLinkStatus>;

/** `since`: of that link. */
interface RegionLinkStatus {
  readonly link: RegionState['link'];
  readonly url: string;
  readonly since: string;
  /** What it is still to be told: so many, the first of them of that time. */
  readonly waiting: number;
  readonly oldest?: string;
  /** What it is never told, as it was away for too long. */
  readonly forgotten: number;
  /** How far its clock is ahead of ours. */
  readonly skewSeconds?: number;
  /** The last trouble, also where it is over. */
  readonly fault?: { readonly at: string; readonly reason: string };
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
    ...regionOf(rack),
    leases: rack.leases.size,
    machines: rack.machines.count(),
    notices: noticesOf(rack),
  };
}

function regionOf({ standing, region: { state } }: Rack): Pick<RackStatus, 'region'> {
  return standing ? { region: { ...standing, ...(state && linkOf(state)) } } : {};
}

function linkOf({ link, url, since, waiting, oldest, forgotten, skewSeconds, fault }: RegionState): RegionLinkStatus {
  return {
    link,
    url,
    since: new Date(since).toISOString(),
    waiting,
    forgotten,
    ...(oldest !== undefined && { oldest: new Date(oldest).toISOString() }),
    ...(skewSeconds !== undefined && { skewSeconds }),
    ...(fault && { fault: { at: new Date(fault.at).toISOString(), reason: fault.reason } }),
  };
}
