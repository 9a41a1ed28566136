import type { Host, OptionWishes, Plan, Subnet } from '../plan/plan.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { isOfClass } from './client-class.ts';
import type { Exchange } from './exchange.ts';

/** Where options come from that no layer of the file may set. */
const DECIDED: ReadonlyMap<number, string> = new Map([
  [OptionCode.messageType, 'what the reply is'],
  [OptionCode.serverId, 'what the rack is known by'],
  [OptionCode.message, 'why it is refused'],
  [OptionCode.subnetMask, 'subnet (cidr)'],
  [OptionCode.leaseTime, 'subnet (lease)'],
  [OptionCode.renewalTime, 'subnet (lease)'],
  [OptionCode.rebindingTime, 'subnet (lease)'],
  [OptionCode.broadcast, 'subnet (broadcast)'],
  [OptionCode.hostName, 'its name'],
  [OptionCode.clientFqdn, 'its name'],
  [OptionCode.rapidCommit, 'subnet (rapid-commit)'],
  [OptionCode.clientId, 'given back as it came'],
  [OptionCode.subnetSelection, 'given back as it came'],
  [OptionCode.relayAgent, 'given back as it came'],
]);
/** Keys of the subnet that a class or a host may differ from. */
const SETTINGS: ReadonlyMap<number, string> = new Map([
  [OptionCode.router, 'subnet (router)'],
  [OptionCode.dns, 'subnet (dns)'],
  [OptionCode.domainName, 'subnet (domain)'],
]);
const BOOT: ReadonlySet<number> = new Set([OptionCode.bootFileName, OptionCode.tftpServerName]);

interface Layer {
  readonly name: string;
  readonly wishes: OptionWishes | undefined;
}

/** Which layer an option of a reply comes from, and why it is sent: "class phones, asked for". */
export function originOf({ code }: DhcpOption, plan: Plan, exchange: Exchange, boots: boolean): string {
  const decided = DECIDED.get(code) ?? (boots && BOOT.has(code) ? 'the boot offer' : undefined);
  if (decided !== undefined && code !== OptionCode.broadcast) return decided;
  const layers = layersOf(plan, exchange);
  const source = layers.find(({ wishes }) => wishes?.settings.some((setting) => setting.code === code));
  const from = decided ?? source?.name ?? SETTINGS.get(code) ?? 'the rack itself';
  const forcing = layers.find(({ wishes }) => wishes?.always.includes(code));
  if (exchange.client.parameters?.has(code)) return `${from}, asked for`;
  return forcing ? `${from}, always (${forcing.name})` : from;
}

/** The first that sets an option wins: host, classes from the last in the file, subnet, all clients. */
function layersOf(plan: Plan, { client, packet, served, addresses }: Exchange): Layer[] {
  const classes = (plan.classes ?? []).filter(({ match }) => isOfClass(match, client, packet));
  return [
    hostLayer(addresses.host(client)),
    ...classes.map(({ name, options }) => ({ name: `class ${name}`, wishes: options })).toReversed(),
    subnetLayer(served.subnet),
    { name: 'all clients', wishes: plan.options },
  ];
}

function hostLayer(host: Host | undefined): Layer {
  return { name: `host ${host?.name ?? ''}`, wishes: host?.options };
}

function subnetLayer({ options }: Subnet): Layer {
  return { name: 'subnet', wishes: options };
}
