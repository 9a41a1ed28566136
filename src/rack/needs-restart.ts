import type { Plan } from '../plan/plan.ts';

/** What a running rack can't change: where its state is, and where operators reach it. A sentence for each change of it. */
export function faultsOfRestart(running: Plan, wanted: Plan): string[] {
  const changes: readonly (readonly [key: string, isSame: boolean])[] = [
    ['rack.state', running.rack.state === wanted.rack.state],
    ['rack.control', running.rack.control === wanted.rack.control],
    ['admin.listen', running.admin.address === wanted.admin.address && running.admin.port === wanted.admin.port],
  ];
  return changes.filter(([, isSame]) => !isSame).map(([key]) => `${key}: a change of it takes a restart of rackboot`);
}
