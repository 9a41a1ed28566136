import type { Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type BootEntry, type Host, type Plan } from '../plan/plan.ts';

/** What one machine is to boot now, and by which rule, in a plain sentence. `machine` is absent for an unknown one. */
export interface BootPlan {
  readonly machine?: Host;
  readonly target: typeof BOOT_LOCAL | BootEntry;
  readonly why: string;
}

/** Boot plans by MAC, in constant time whatever the number of hosts. */
export interface BootIndex {
  /** `hostName`: the host it is known to be by another sign than its MAC. */
  find(mac: Mac, hostName?: string): BootPlan;
}

export function createBootIndex(plan: Plan): BootIndex {
  const entries = new Map(plan.boot.entries.map((entry) => [entry.name, entry]));
  const hosts = new Map(plan.hosts.flatMap((host) => host.macs.map((mac) => [mac, host] as const)));

  const named = new Map(plan.hosts.map((host) => [host.name, host]));

  function targetOf(boot: string): Pick<BootPlan, 'target'> & { readonly says: string } {
    if (boot === BOOT_LOCAL) return { target: BOOT_LOCAL, says: 'its own disk' };
    const entry = entries.get(boot);
    // The compiler refuses such a Plan; a machine that meets one all the same is better off with its disk than with nothing.
    if (entry === undefined) return { target: BOOT_LOCAL, says: `its own disk, as there is no boot entry "${boot}"` };
    return { target: entry, says: `the boot entry "${boot}"` };
  }

  const unknown = targetOf(plan.boot.default);
  const forUnknown: BootPlan = {
    target: unknown.target,
    why: plan.boot.isDefaultHeld
      ? `no host has this MAC, but one of the file can't be recognised, so an unknown machine boots ${unknown.says}`
      : `no host has this MAC, so boot.default decides: ${unknown.says}`,
  };

  function find(mac: Mac, hostName?: string): BootPlan {
    const machine = hosts.get(mac) ?? (hostName === undefined ? undefined : named.get(hostName));
    if (machine === undefined) return forUnknown;
    const { target, says } = targetOf(machine.boot);
    return { machine, target, why: `host ${machine.name} boots ${says}` };
  }

  return { find };
}

/** For one question; whoever asks often keeps an index. */
export function bootPlanFor(plan: Plan, mac: Mac): BootPlan {
  return createBootIndex(plan).find(mac);
}
