import type { BootOffer } from '../boot/boot-offer.ts';
import type { Host, OptionWishes, Plan, Subnet } from '../plan/plan.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeParameterList } from '../wire/dhcp/options/parameter-list.ts';
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
interface Layer {
  readonly name: string;
  readonly wishes: OptionWishes | undefined;
}

/** Which layer an option of a reply comes from, and why it is sent: "class phones, asked for". */
export function originOf({ code }: DhcpOption, plan: Plan, exchange: Exchange, boot: BootOffer): string {
  const decided = DECIDED.get(code) ?? originInBoot(code, boot);
  if (decided !== undefined && code !== OptionCode.broadcast) return decided;
  const layers = layersOf(plan, exchange);
  const source = layers.find(({ wishes }) => wishes?.settings.some((setting) => setting.code === code));
  const from = decided ?? source?.name ?? SETTINGS.get(code) ?? 'the rack itself';
  const forcing = layers.find(({ wishes }) => wishes?.always.includes(code));
  const asked = decodeParameterList(exchange.packet.options.get(OptionCode.parameterList));
  if (asked?.includes(code)) return `${from}, asked for`;
  return forcing ? `${from}, always (${forcing.name})` : from;
}

/** Of a reply that names a boot server. */
function originInBoot(code: number, { bootFile, nextServer, quirks: { effects } }: BootOffer): string | undefined {
  if (nextServer === undefined) return undefined;
  if (code === OptionCode.tftpServerName) return 'the boot offer';
  if (code === OptionCode.bootFileName && bootFile !== undefined) return 'the boot offer';
  if (code === OptionCode.clientMachineId && effects.echoMachineId) return 'given back as it came';
  const isQuirk =
    (code === OptionCode.vendorClass && effects.vendorClass) ||
    (code === OptionCode.vendorSpecific && effects.vendorOptions);
  return isQuirk ? 'what its firmware needs (quirks)' : undefined;
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
