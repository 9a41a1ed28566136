import { formatFault, type Fault } from './fault.ts';

/**
 * What speaks against a region's part: every fault in it, and those of the file that are there because of it; nothing that may pass by
 * itself. `merged`: of both together; `alone`: of the file without that part, asked for when it matters.
 */
export function broughtFaults(merged: readonly Fault[], region: string, alone: () => readonly Fault[]): Fault[] {
  const lasting = merged.filter(({ mayPass }) => !mayPass);
  if (lasting.every(({ file }) => file === region)) return lasting;
  const before = new Set(alone().map(formatFault));
  return lasting.filter((fault) => fault.file === region || !before.has(formatFault(fault)));
}
