import type { Plan } from '../plan/plan.ts';
import { calledBy, type BootKeeper } from './boot-keeper.ts';
import type { Notices } from './notices.ts';
import type { RegionStanding } from './region-standing.ts';
import type { ZoneKeeper } from './zone-keeper.ts';

/** What of a rack has something to say. */
export interface NoticeGround {
  readonly plan: Plan;
  /** Undefined where no region is followed. */
  readonly standing: RegionStanding | undefined;
  readonly notices: Pick<Notices, 'all'>;
  readonly zones: Pick<ZoneKeeper, 'notices'>;
  readonly boots: Pick<BootKeeper, 'notices'>;
}

/** What an operator should know and perhaps do something about, one sentence each. */
export function noticesOf({ plan, standing, notices, zones, boots }: NoticeGround): string[] {
  const others = [...notices.all(), ...zones.notices(), ...boots.notices((row) => calledBy(plan, row))];
  return [...idleNotices(plan, standing), ...refusalNotices(standing), ...others];
}

/** With a region that is no fault; but whoever took the last subnet away may not have meant to. */
function idleNotices({ subnets }: Plan, standing: RegionStanding | undefined): string[] {
  if (standing?.version === undefined || subnets.length > 0) return [];
  return [`it serves no subnet: neither the file nor the region's plan ${standing.version} has one`];
}

function refusalNotices(standing: RegionStanding | undefined): string[] {
  if (!standing?.refused) return [];
  const { version, refused } = standing;
  const instead =
    version === undefined ? 'nothing of what the region says is in force' : `plan ${version} is served on instead`;
  const [first = '', ...more] = refused.faults;
  const why = more.length === 0 ? first : `${first}; and ${more.length} more`;
  return [`plan ${refused.version} of the region is refused, ${instead}: ${why}`];
}
