import type { Mac } from '../addr/mac.ts';
import type { BootEntry } from '../plan/plan.ts';
import type { BootState, BootStates } from './boot-states.ts';

/** Whom it is about: all its MACs, as a host may boot by another card than last time, and how operators call it. */
export interface Subject {
  readonly macs: readonly Mac[];
  readonly called: string;
}

/** Why a machine that is to netboot `entry` boots its own disk all the same; undefined when it does not. */
export function whyDisk(states: BootStates, entry: BootEntry, { macs, called }: Subject): string | undefined {
  const known = macs.map((mac) => states.of(mac, entry.name)).filter((state) => state !== undefined);
  const reset = `"rackboot boots reset ${called}" lets it netboot again`;
  for (const state of known) {
    const because = reasonOf(state, entry);
    if (because !== undefined) return `${because}; ${reset}`;
  }
  if (states.lostSince === undefined || entry.once === undefined || known.length > 0) return undefined;
  return `the boot entry "${entry.name}" is for once, and what this rack knew of that was lost on ${timeOf(states.lostSince)}; ${reset}`;
}

function reasonOf(state: BootState, { name, once }: BootEntry): string | undefined {
  switch (state.kind) {
    case 'done': {
      // The file may have changed since: who had an entry that is for once no more netboots it each time
      if (once === undefined) return undefined;
      const how = state.by === 'delivered' ? 'it was sent all of it' : 'it reported "installed"';
      return `the boot entry "${name}" is for once, and ${how} on ${timeOf(state.since)}`;
    }
    case 'held':
      return `it netbooted the boot entry "${name}" ${state.boots} times within ${lengthOf(state.withinSeconds)} up to ${timeOf(state.since)}, as in a loop`;
    case 'armed':
      return undefined;
  }
}

function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function lengthOf(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
