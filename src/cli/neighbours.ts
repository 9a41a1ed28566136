import type { ConflictLine, DhcpServerLine, NeighbourLine, NeighbourReport } from '../rack/watch-routes.ts';
import { askDaemon } from './control-client.ts';

export interface NeighbourCommandOptions {
  readonly control: string;
  readonly json: boolean;
}

/** `rackboot neighbours`: who is on the wires; exit code 1 when something is wrong with any of them. */
export async function neighbours(
  { control, json }: NeighbourCommandOptions,
  out: (line: string) => void,
): Promise<number> {
  const report = await askDaemon<NeighbourReport>(control, '/neighbours');
  if (json) out(JSON.stringify(report));
  else for (const line of describe(report)) out(line);
  return report.conflicts.length + report.dhcpServers.length === 0 ? 0 : 1;
}

/** `rackboot neighbours scan [--subnet CIDR]`: asks for every address, and shows who is there then. */
export async function scanNeighbours(
  { control, json }: NeighbourCommandOptions,
  subnet: string | undefined,
  out: (line: string) => void,
): Promise<number> {
  const query = subnet === undefined ? '' : `?subnet=${encodeURIComponent(subnet)}`;
  const report = await askDaemon<NeighbourReport>(control, `/neighbours/scan${query}`, 'POST');
  if (json) {
    out(JSON.stringify(report));
    return 0;
  }
  for (const line of describe(report)) out(line);
  const { asked = 0, answered = 0 } = report.scan ?? {};
  out(`${asked} addresses asked for, ${answered} answered`);
  return 0;
}

function* describe({ neighbours: machines, conflicts, dhcpServers }: NeighbourReport): Generator<string> {
  for (const machine of machines) yield neighbourLine(machine);
  for (const conflict of conflicts) yield `CONFLICT ${conflictLine(conflict)}`;
  for (const server of dhcpServers) yield `STRANGE DHCP SERVER ${serverLine(server)}`;
}

function neighbourLine({
  address,
  mac,
  interface: device,
  vlan,
  name = '',
  vendor = '',
  lastSeen,
  known,
}: NeighbourLine): string {
  const wire = vlan === undefined ? device : `${device}:${vlan}`;
  const seen = `${lastSeen}${known ? '' : ' unproved'}`;
  return `${address.padEnd(15)}  ${mac}  ${wire.padEnd(12)}  ${name.padEnd(15)}  ${vendor.padEnd(28)}  ${seen}`.trimEnd();
}

const WRONG: Readonly<Record<ConflictLine['conflict'], (line: ConflictLine) => string>> = {
  'two-machines': ({ other = '' }) => `has an address that ${other} has too`,
  'own-address': () => 'claims an address of this rack',
  'host-address': ({ host = '' }) => `uses the address of host ${host}`,
  'leased-address': ({ other = '' }) => `uses an address that is lent to ${other}`,
  'wrong-address': ({ host = '', wanted = '' }) => `is host ${host}, which has ${wanted}, and uses another address`,
  'many-addresses': () =>
    'answers for many addresses that are not its own: it listens in, or is a router that does so for all (proxy ARP) and not the one that the file names',
  squatted: () => 'uses an address of a range that nobody lent it',
};

function conflictLine(line: ConflictLine): string {
  const { address, mac, vendor, interface: device, since } = line;
  const who = vendor === undefined ? mac : `${mac} (${vendor})`;
  return `${address} ${who} on ${device} ${WRONG[line.conflict](line)}, since ${since}`;
}

function serverLine({
  address,
  mac,
  vendor,
  interface: device,
  offered,
  router,
  bootFile,
  since,
  lastSeen,
}: DhcpServerLine): string {
  const who = [mac, vendor].filter((part) => part !== undefined).join(', ');
  const offer = [
    offered === undefined ? 'no address' : offered,
    ...(router === undefined ? [] : [`router ${router}`]),
    ...(bootFile === undefined ? [] : [`boot file ${bootFile}`]),
  ];
  return `${address}${who === '' ? '' : ` (${who})`} on ${device} offers ${offer.join(', ')}; since ${since}, last heard ${lastSeen}`;
}
