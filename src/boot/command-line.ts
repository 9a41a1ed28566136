import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { replaceVariables, type CommandLineVariable } from '../plan/command-line-variables.ts';
import type { Host } from '../plan/plan.ts';

/** The machine and the rack, as a kernel command line may name them. */
export interface CommandLineFacts {
  readonly mac: Mac;
  /** The rack's boot HTTP service: "http://192.0.2.1:5248". */
  readonly rack: string;
  readonly address?: Ip4;
  readonly machine?: Host;
}

/**
 * Puts in what the rack knows. Name and address are empty for a machine that has none. A name that stands for nothing, which the
 * compiler refuses, is left as it is.
 */
export function expandCommandLine(template: string, facts: CommandLineFacts): string {
  const values: Readonly<Record<CommandLineVariable, string>> = {
    mac: formatMac(facts.mac),
    rack: facts.rack,
    name: facts.machine?.name ?? '',
    address: facts.address === undefined ? '' : formatIp4(facts.address),
  };
  return replaceVariables(template, (name) =>
    Object.hasOwn(values, name) ? values[name as CommandLineVariable] : undefined,
  );
}
