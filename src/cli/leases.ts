import { readFileSync } from 'node:fs';

import type { ImportReport } from '../rack/lease-routes.ts';
import type { LeaseLine } from '../rack/operator-api.ts';
import { askDaemon, readFromDaemon, RefusedError } from './control-client.ts';

/** `rackboot leases`: address, MAC, end and name of each lease, in the order of addresses. */
export async function leases(
  options: { control: string; json: boolean },
  out: (line: string) => void,
): Promise<number> {
  const answer = await askDaemon<LeaseLine[]>(options.control, '/leases');
  if (options.json) out(JSON.stringify(answer));
  else for (const lease of answer) out(describe(lease));
  return 0;
}

export interface LeaseCommandOptions {
  readonly control: string;
  readonly json: boolean;
}

/** `rackboot leases release ADDRESS|MAC`: ends the lease of that address, or all of that machine. */
export async function releaseLease(
  { control, json }: LeaseCommandOptions,
  of: string,
  out: (line: string) => void,
): Promise<number> {
  const released = await askDaemon<ImportReport['taken']>(
    control,
    `/leases/release?of=${encodeURIComponent(of)}`,
    'POST',
  );
  if (json) out(JSON.stringify(released));
  else for (const { address, mac, name } of released) out(`released ${address} of ${mac} ${name ?? ''}`.trimEnd());
  return 0;
}

/** `rackboot leases export`: all leases as Kea's memfile. */
export async function exportLeases({ control }: LeaseCommandOptions, out: (line: string) => void): Promise<number> {
  out((await readFromDaemon(control, '/leases/export')).trimEnd());
  return 0;
}

/** `rackboot leases import`: hands a lease file of another server to the daemon; exit code 1 when it took none. */
export async function importLeases(
  { control, json }: LeaseCommandOptions,
  { from, file }: { from: string; file: string },
  out: (line: string) => void,
): Promise<number> {
  const report = await askDaemon<ImportReport>(
    control,
    `/leases/import?from=${encodeURIComponent(from)}`,
    'POST',
    readLeaseFile(file),
  );
  if (json) out(JSON.stringify(report));
  else for (const line of describeImport(report, file)) out(line);
  return report.taken.length > 0 || report.refused.length === 0 ? 0 : 1;
}

function readLeaseFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RefusedError(
      `${file}: expected a readable file, found ${(error as NodeJS.ErrnoException).code ?? 'none'}`,
    );
  }
}

function* describeImport({ taken, refused }: ImportReport, file: string): Generator<string> {
  for (const { address, mac, name } of taken) yield `taken ${address} of ${mac} ${name ?? ''}`.trimEnd();
  for (const { line, reason } of refused) yield `${file}:${line}: refused: ${reason}`;
  yield `${taken.length} leases taken, ${refused.length} refused`;
}

function describe({ address, mac, name, expires }: LeaseLine): string {
  return `${address.padEnd(15)}  ${mac}  ${(expires ?? 'for good').padEnd(24)}  ${name ?? ''}`.trimEnd();
}
