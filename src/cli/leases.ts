import type { LeaseLine } from '../rack/operator-api.ts';
import { askDaemon } from './control-client.ts';

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

function describe({ address, mac, name, expires }: LeaseLine): string {
  return `${address.padEnd(15)}  ${mac}  ${(expires ?? 'for good').padEnd(24)}  ${name ?? ''}`.trimEnd();
}
