import { formatHex } from '../addr/hex.ts';
import type { Ip4 } from '../addr/ip4.ts';
import { formatMac, readMac, type Mac } from '../addr/mac.ts';
import { isNetbootClient, type BootClient } from '../boot/firmware.ts';
import type { ClientKey } from '../leases/lease.ts';
import type { Subnet } from '../plan/plan.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeClientFqdn, type ClientFqdn } from '../wire/dhcp/options/client-fqdn.ts';
import { decodeEncapsulated } from '../wire/dhcp/options/encapsulated.ts';
import { decodeU16, decodeU16List } from '../wire/dhcp/options/integer.ts';
import { decodeIp4 } from '../wire/dhcp/options/ip4.ts';
import { decodeRelayAgent } from '../wire/dhcp/options/relay-agent.ts';
import { decodeText } from '../wire/dhcp/options/text.ts';
import { decodeUserClasses } from '../wire/dhcp/options/user-class.ts';
import type { DhcpOptions } from '../wire/dhcp/dhcp-options.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';

/** Who sent a DHCP message, and what it says of itself. Copies: it outlives the datagram. */
export interface Client {
  /** The name its leases go by: see `clientKey`. */
  readonly key: ClientKey;
  readonly mac: Mac;
  /** Option 61, as lower-case hex. */
  readonly clientId?: string | undefined;
  /** From option 82, as lower-case hex. */
  readonly circuitId?: string | undefined;
  readonly boot: BootClient;
  /** Option 81, or else 12 (RFC 4702 §3.1), as a DNS label, if it can be made one; absent when the client wants none. */
  readonly name?: string | undefined;
  /** Option 81. */
  readonly fqdn?: ClientFqdn | undefined;
  /** Option 50. */
  readonly requested?: Ip4 | undefined;
  /** Option 54. */
  readonly serverId?: Ip4 | undefined;
  /** Option 57. */
  readonly maxMessageSize?: number | undefined;
  /** Names of its classes, where it is on a link with pools for classes. */
  readonly classes?: ReadonlySet<string> | undefined;
}

const ETHERNET = 1;
/** What `hostLabel` would leave as it is. */
const PLAIN_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The 48-bit address of the hardware; undefined for hardware that has none. */
export function hardwareAddress({ htype, hlen, chaddr }: DhcpPacket): Mac | undefined {
  return htype === ETHERNET && hlen === 6 ? readMac(chaddr, 0) : undefined;
}

export function readClient(packet: DhcpPacket, mac: Mac): Client {
  const { options } = packet;
  const fqdn = decodeClientFqdn(options.get(OptionCode.clientFqdn));
  // Every key in every client: objects of one shape are what this path is fast by
  return {
    key: mac,
    mac,
    boot: readBootClient(packet, mac),
    clientId: hexOf(options.get(OptionCode.clientId)),
    circuitId: hexOf(decodeRelayAgent(options.get(OptionCode.relayAgent))?.circuitId),
    name: nameOf(fqdn, options),
    fqdn,
    requested: decodeIp4(options.get(OptionCode.requestedAddress)),
    serverId: decodeIp4(options.get(OptionCode.serverId)),
    maxMessageSize: decodeU16(options.get(OptionCode.maxMessageSize)),
  };
}

/**
 * What a client's leases go by on a subnet: the MAC, as ROM, iPXE and installer send three different client identifiers
 * in one boot and must get one address (peers.md §3.1/18). Where the subnet says so, the identifier of a client that
 * does not netboot (RFC 2131 §4.2), unless it is the MAC once more (RFC 2132 §9.14: type 1, then the address).
 */
export function clientKey({ mac, clientId, boot }: Client, { clientId: use }: Pick<Subnet, 'clientId'>): ClientKey {
  if (use !== 'use' || clientId === undefined || isNetbootClient(boot)) return mac;
  return clientId === `01${formatMac(mac, '')}` ? mac : `id ${clientId}`;
}

/** N in option 81 asks the server to keep out of DNS: a lease without a name has no records. */
function nameOf(fqdn: ClientFqdn | undefined, options: DhcpOptions): string | undefined {
  if (fqdn?.noUpdates) return undefined;
  return hostLabel(fqdn?.name) ?? hostLabel(decodeText(options.get(OptionCode.hostName)));
}

function readBootClient({ options }: DhcpPacket, mac: Mac): BootClient {
  const ipxe = decodeEncapsulated(options.get(OptionCode.ipxe));
  return {
    mac,
    userClasses: decodeUserClasses(options.get(OptionCode.userClass)) ?? [],
    arch: decodeU16List(options.get(OptionCode.clientArch))?.[0],
    vendorClass: decodeText(options.get(OptionCode.vendorClass)),
    ipxe: ipxe && { features: Array.from(ipxe, (option) => option.code) },
  };
}

/** "Node 1.example.com" → "node-1": the first label in lower case, other characters than a-z, 0-9 and - as dashes. */
export function hostLabel(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const label = text.split('.', 1)[0] ?? '';
  if (PLAIN_LABEL.test(label)) return label;
  const clean = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 63);
  const trimmed = clean.replaceAll(/^-+|-+$/g, '');
  return trimmed === '' ? undefined : trimmed;
}

function hexOf(value: Uint8Array | undefined): string | undefined {
  return value && value.length > 0 ? formatHex(value) : undefined;
}
