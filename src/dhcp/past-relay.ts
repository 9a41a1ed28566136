import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { askedOf } from './asked.ts';
import type { Client } from './client.ts';

/** What leases say of ports. */
interface Ports {
  readonly knowsPorts: boolean;
  portOf(client: Client, address: Ip4): string | undefined;
}

/** A client that renews writes to us alone, and no relay says which port it is on (RFC 2131 §4.3.2, RENEWING). */
function goesPastRelay({ ciaddr, giaddr, options }: Pick<DhcpPacket, 'ciaddr' | 'giaddr' | 'options'>): boolean {
  return ciaddr !== UNSPECIFIED && giaddr === UNSPECIFIED && !options.has(OptionCode.relayAgent);
}

/** The same, and that it does renew: in a message that asks for an address ciaddr is no sign of one (RFC 2131 table 5). */
export function renewsPastRelay(packet: Pick<DhcpPacket, 'ciaddr' | 'giaddr' | 'options'>): boolean {
  return goesPastRelay(packet) && !packet.options.has(OptionCode.serverId) && askedOf(packet) === 'request';
}

/** The client on the port that its lease says, where hosts are known by ports and no relay tells; elsewhere as it is. */
export function withPort(client: Client, packet: DhcpPacket, addresses: Ports): Client {
  if (!addresses.knowsPorts || !goesPastRelay(packet)) return client;
  const circuitId = addresses.portOf(client, packet.ciaddr);
  return circuitId === undefined ? client : { ...client, circuitId };
}
