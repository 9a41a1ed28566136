import { UNSPECIFIED } from '../addr/ip4.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { Addresses } from './addresses.ts';
import type { Client } from './client.ts';

/** A client that renews writes to us alone, and no relay says which port it is on (RFC 2131 §4.3.2, RENEWING). */
export function goesPastRelay({ ciaddr, giaddr, options }: Pick<DhcpPacket, 'ciaddr' | 'giaddr' | 'options'>): boolean {
  return ciaddr !== UNSPECIFIED && giaddr === UNSPECIFIED && !options.has(OptionCode.relayAgent);
}

/** The client on the port that its lease says, where hosts are known by ports and no relay tells; elsewhere as it is. */
export function withPort(client: Client, packet: DhcpPacket, addresses: Addresses): Client {
  if (!addresses.knowsPorts || !goesPastRelay(packet)) return client;
  const circuitId = addresses.portOf(client, packet.ciaddr);
  return circuitId === undefined ? client : { ...client, circuitId };
}
