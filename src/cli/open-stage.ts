import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Ip4 } from '../addr/ip4.ts';
import { readBootsAside } from '../boots/read-boots-aside.ts';
import { readLeasesAside, type LeasesAside } from '../leases/read-leases-aside.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import type { Surroundings } from '../plan/surroundings.ts';
import type { Clock } from '../system/clock.ts';
import { messageOf } from '../system/message-of.ts';
import { compileFile, type WithRegion } from './compile-file.ts';
import { RefusedError } from './control-client.ts';

/** The file, and what it is compiled with. */
export interface StageOptions extends WithRegion {
  readonly config: string;
}

/** This machine, so that tests can have another. */
export interface StageGround {
  readonly surroundings: Surroundings;
  readonly clock: Clock;
}

/** What a rehearsal is done on: the file as it is now, and what is on disk, daemon or not. */
export interface Stage {
  readonly plan: Plan;
  readonly leases: LeasesAside;
  readonly boots: ReturnType<typeof readBootsAside>;
  /** An address of this machine, for relays that reach it where no subnet is. */
  readonly ownAddress?: Ip4 | undefined;
  /** What is wrong with the file or the leases. */
  readonly notes: readonly string[];
}

const NO_LEASES: LeasesAside = { leases: [] };

/** Without a plan where the file has none; the notes say why. Throws RefusedError when something can't be read. */
export function openStage(
  options: StageOptions,
  ground: StageGround,
): Stage | { readonly plan?: undefined; readonly notes: readonly string[] } {
  const { plan, notes } = readPlan(options, ground);
  if (!plan) return { notes };
  const leases = readState(plan, 'leases.db', (file) => readLeasesAside(file) ?? NO_LEASES);
  return {
    plan,
    leases,
    boots: readState(plan, 'boots.db', (file) => readBootsAside(file, ground.clock.now())),
    ownAddress: ground.surroundings.interfaces.find(({ name }) => name !== 'lo')?.address,
    notes: leases.damage === undefined ? notes : [...notes, `its leases may not be as they are: ${leases.damage}`],
  };
}

function readPlan(
  options: StageOptions,
  { surroundings }: StageGround,
): { readonly plan?: Plan; readonly notes: readonly string[] } {
  const file = options.config;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RefusedError(`${file}: expected a readable file, found ${codeOf(error)}`);
  }
  const { plan, faults, said } = compileFile(text, file, surroundings, options);
  return { ...(plan && { plan }), notes: [...said, ...faults.map(formatFault)] };
}

function readState<T>({ rack }: Plan, name: string, read: (file: string) => T): T {
  const file = join(rack.state, name);
  try {
    return read(file);
  } catch (error) {
    throw new RefusedError(`${file}: it can't be read (${codeOf(error)}); ask as root, or as rackboot's user`);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return messageOf(error);
}
