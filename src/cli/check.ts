import { readFileSync } from 'node:fs';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import { createSurvey } from '../rack/surroundings.ts';
import { MOST_RECORDS_IN_ALL, readMasterFile } from '../zones/read-master-file.ts';
import { readZoneFile } from '../zones/read-zone-file.ts';
import { formatProblem } from '../zones/zone-problem.ts';
import { messageOf } from '../system/message-of.ts';
import { compileFile, type WithRegion } from './compile-file.ts';

/** Prints every fault of a config file, or what it holds. Gives the exit code: 0 without any fault, else 1. */
export function check(options: WithRegion & { readonly config: string }, out: (line: string) => void): number {
  const text = readText(options.config, out);
  if (text === undefined) return 1;
  const { plan, faults, conflicts, said } = compileFile(text, options.config, createSurvey()(), options);
  for (const line of [...said, ...conflicts]) out(line);
  for (const url of plan?.region?.urls ?? [])
    if (url.startsWith('http:')) out(`region.url: ${url} is not encrypted (followed all the same)`);
  for (const fault of faults) out(formatFault(fault));
  const zoneFaults = plan ? checkZones(plan, out) : 0;
  const total = faults.length + zoneFaults;
  const isGood = plan !== undefined && total === 0;
  out(isGood ? `ok: ${summarise(plan)}` : count(total, 'fault'));
  return isGood ? 0 : 1;
}

/** Prints what is wrong with the zone files, and what is only odd about them; gives the number of faults. */
function checkZones(plan: Plan, out: (line: string) => void): number {
  let [total, read] = [0, 0];
  for (const { name, file } of plan.dns.zones) {
    if (file === undefined) continue;
    const { faults, warnings, records = [] } = readMasterFile(name, file, readZoneFile);
    for (const fault of faults) out(formatProblem(fault));
    for (const warning of warnings) out(`${formatProblem(warning)} (served all the same)`);
    total += faults.length;
    read += records.length;
  }
  if (read <= MOST_RECORDS_IN_ALL) return total;
  out(`zone files: expected at most ${MOST_RECORDS_IN_ALL} records in all of them, found ${read}`);
  return total + 1;
}

function readText(file: string, out: (line: string) => void): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    out(`${file}: expected a readable file, found ${explainUnreadable(error)}`);
    return undefined;
  }
}

function explainUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'none';
  if (code === 'EACCES') return 'one that this user may not read';
  if (code === 'EISDIR') return 'a directory';
  return messageOf(error);
}

function summarise(plan: Plan): string {
  const { subnets, hosts, boot, dns } = plan;
  const parts = [count(subnets.length, 'subnet'), count(hosts.length, 'host')];
  const zones = dns.zones.length === 0 ? [] : [count(dns.zones.length, 'zone')];
  const names = dns.names.length === 0 ? [] : [count(dns.names.length, 'name')];
  return [...parts, count(boot.entries.length, 'boot entry', 'boot entries'), ...zones, ...names].join(', ');
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
