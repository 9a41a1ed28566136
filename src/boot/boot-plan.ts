import { formatMac, type Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type BootEntry, type Host, type Plan } from '../plan/plan.ts';
import { NO_BOOT_STATES, type BootStates } from './boot-states.ts';
import { whyDisk } from './why-disk.ts';

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

/** `states` is asked anew for each machine; without it, every machine is as one that never booted. */
export function createBootIndex(plan: Plan, states: BootStates = NO_BOOT_STATES): BootIndex {
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
  const whyUnknown = plan.boot.isDefaultHeld
    ? "no host has this MAC, but one of the file can't be recognised, so an unknown machine boots "
    : 'no host has this MAC, so boot.default decides: ';
  const forUnknown: BootPlan = { target: unknown.target, why: `${whyUnknown}${unknown.says}` };

  /** The plan as the file has it, unless the machine has had its entry, or netboots it over and over. */
  function remembering(wanted: BootPlan, mac: Mac, opening: string): BootPlan {
    const { target, machine } = wanted;
    if (target === BOOT_LOCAL) return wanted;
    const macs = new Set([mac, ...(machine?.macs ?? [])]);
    const because = whyDisk(states, target, { macs: [...macs], called: machine?.name ?? formatMac(mac) });
    return because === undefined
      ? wanted
      : { ...wanted, target: BOOT_LOCAL, why: `${opening}its own disk: ${because}` };
  }

  function find(mac: Mac, hostName?: string): BootPlan {
    const machine = hosts.get(mac) ?? (hostName === undefined ? undefined : named.get(hostName));
    if (machine === undefined) return remembering(forUnknown, mac, whyUnknown);
    const { target, says } = targetOf(machine.boot);
    const opening = `host ${machine.name} boots `;
    return remembering({ machine, target, why: `${opening}${says}` }, mac, opening);
  }

  return { find };
}

/** For one question; whoever asks often keeps an index. */
export function bootPlanFor(plan: Plan, mac: Mac): BootPlan {
  return createBootIndex(plan).find(mac);
}
