import type { Plan } from '../plan/plan.ts';
import { calledBy, type BootKeeper } from './boot-keeper.ts';
import type { Notices } from './notices.ts';
import type { ZoneKeeper } from './zone-keeper.ts';

/** What of a rack has something to say. */
export interface NoticeGround {
  readonly plan: Plan;
  readonly notices: Pick<Notices, 'all'>;
  readonly zones: Pick<ZoneKeeper, 'notices'>;
  readonly boots: Pick<BootKeeper, 'notices'>;
}

/** What an operator should know and perhaps do something about, one sentence each. */
export function noticesOf({ plan, notices, zones, boots }: NoticeGround): string[] {
  return [...notices.all(), ...zones.notices(), ...boots.notices((row) => calledBy(plan, row))];
}
