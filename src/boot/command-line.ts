import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Host } from '../plan/plan.ts';

/** The machine and the rack, as a kernel command line may name them. */
export interface CommandLineFacts {
  readonly mac: Mac;
  /** The rack's boot HTTP service: "http://192.0.2.1:5248". */
  readonly rack: string;
  readonly address?: Ip4;
  readonly machine?: Host;
}

export interface CommandLine {
  readonly text: string;
  /** Names written as `${name}` that stand for nothing here; they are left in `text` as they were. */
  readonly unknown: readonly string[];
}

/**
 * Puts in what the rack knows:
 * `${mac}` 52:54:00:12:34:56, `${rack}` http://192.0.2.1:5248, `${name}` the host's name, `${address}` the machine's
 * address. The last two are empty for a machine that has none.
 */
export function expandCommandLine(template: string, facts: CommandLineFacts): CommandLine {
  const values = new Map<string, string>([
    ['mac', formatMac(facts.mac)],
    ['rack', facts.rack],
    ['name', facts.machine?.name ?? ''],
    ['address', facts.address === undefined ? '' : formatIp4(facts.address)],
  ]);
  const unknown: string[] = [];
  const text = template.replaceAll(/\$\{([^{}\s]*)\}/g, (written: string, name: string) => {
    const value = values.get(name);
    if (value === undefined) unknown.push(name);
    return value ?? written;
  });
  return { text, unknown };
}
