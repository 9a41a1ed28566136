import type { Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { ExitMethod } from '../plan/plan.ts';
import type { BootPlan } from './boot-plan.ts';
import type { CommandLineFacts } from './command-line.ts';

/** Whom a script is for. */
export interface ScriptFacts {
  readonly mac: Mac;
  /** The rack's boot HTTP service: "http://192.0.2.1:5248". */
  readonly rack: string;
  readonly address?: Ip4;
  /** Default: auto. */
  readonly exit?: ExitMethod;
}

/** What the machine is called on its console. */
export function consoleName(plan: BootPlan, { mac }: ScriptFacts): string {
  return plan.machine?.name ?? formatMac(mac);
}

export function commandLineFacts({ machine }: BootPlan, facts: ScriptFacts): CommandLineFacts {
  return machine === undefined ? facts : { ...facts, machine };
}

/** PXELINUX's word for the interface a machine booted from, which installers and live systems of every loader read. */
export function bootInterface({ mac }: ScriptFacts): string {
  return `BOOTIF=01-${formatMac(mac, '-')}`;
}

/** Percent-encoded, so that no character of the path means anything to a loader's parser. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
