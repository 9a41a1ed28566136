import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import type { Inbound } from '../system/datagram.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeRelayAgent, type RelayAgentInfo } from '../wire/dhcp/options/relay-agent.ts';
import { BOOTREQUEST, decodeDhcp, type DhcpPacket } from '../wire/dhcp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Addresses, ServedSubnet } from './addresses.ts';
import { withClasses } from './class-pools.ts';
import { ClientRate } from './client-rate.ts';
import { clientKey, hardwareAddress, readClient, type Client } from './client.ts';
import type { ConflictJudge, Exchange } from './exchange.ts';
import { orderLink } from './link.ts';
import type { OptionLayers } from './option-layers.ts';
import { withPort } from './past-relay.ts';
import type { QuirkSwitchboard } from './quirk-switches.ts';
import { Refusals, type Sender } from './refusals.ts';
import { chooseLink } from './subnet-choice.ts';

/** A message, and the socket it was heard on. */
export interface Heard {
  readonly datagram: Inbound;
  readonly handle: SocketHandle;
}

/** What a message is read against. */
export interface Ground {
  readonly addresses: Addresses;
  readonly optionLayers: OptionLayers;
  readonly quirkSwitches: QuirkSwitchboard;
  readonly conflicts: ConflictJudge;
  readonly plan: Pick<Plan, 'watch'>;
}

/** Turns datagrams into messages of known clients on known subnets; counts and tells what is none. */
export class Intake {
  readonly #tally: Tally;
  readonly #events: EventSink;
  readonly #refusals: Refusals;
  readonly #rate: ClientRate;

  constructor({ tally, events, clock }: { tally: Tally; events: EventSink; clock: Clock }) {
    this.#tally = tally;
    this.#events = events;
    this.#refusals = new Refusals(tally, events, clock);
    this.#rate = new ClientRate(clock);
  }

  /** Undefined, counted and told, when the datagram is not for us. */
  read(datagram: Inbound, handle: SocketHandle, ground: Ground): Exchange | undefined {
    const packet = this.#decode(datagram);
    if (!packet) return undefined;
    const mac = this.#admit(packet, datagram);
    if (mac !== undefined && mac === ground.plan.watch?.dhcpProbe?.mac) return this.#passOverProbe();
    return mac === undefined ? undefined : this.#place(packet, mac, datagram, handle, ground);
  }

  /** Our own question, which other DHCP servers are to answer: heard where two of our interfaces are on one wire. */
  #passOverProbe(): undefined {
    this.#tally.add('passed-over');
  }

  /** The same for a message that was read before: its client is not charged for it twice. */
  readAgain(datagram: Inbound, handle: SocketHandle, ground: Ground): Exchange | undefined {
    const packet = this.#decode(datagram);
    const mac = packet && hardwareAddress(packet);
    return packet && mac !== undefined ? this.#place(packet, mac, datagram, handle, ground) : undefined;
  }

  #place(
    packet: DhcpPacket,
    mac: Mac,
    datagram: Inbound,
    handle: SocketHandle,
    { addresses, optionLayers, quirkSwitches, conflicts }: Ground,
  ): Exchange | undefined {
    const client = readClient(packet, mac);
    const relay = readRelay(packet);
    const link = chooseLink(addresses.served, packet, relay, handle, datagram.destination);
    const [first] = link;
    if (!first) return this.#refuseLink(packet, handle, { mac, source: datagram.source });
    const keyed = withClasses(withPort(withKey(client, first), packet, addresses), packet, link);
    const ordered = link.length > 1 ? orderLink(link, keyed, packet, addresses) : link;
    const served = ordered[0] ?? first;
    const rackAddress = served.subnet.rackAddress ?? addressBehindRelay(addresses, handle, datagram);
    return {
      packet,
      client: keyed,
      served,
      link: ordered,
      addresses,
      optionLayers,
      quirkSwitches,
      conflicts,
      rackAddress,
      serverId: relay?.serverIdOverride ?? rackAddress,
      ...(relay?.sourcePort ? { relayPort: datagram.sourcePort } : {}),
    };
  }

  /** Counts a message that is no use to us, and tells why. */
  refuse(counter: string, reason: string, sender: Sender): undefined {
    this.#refusals.refuse(counter, reason, sender);
  }

  #decode({ bytes, source }: Inbound): DhcpPacket | undefined {
    try {
      return decodeDhcp(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.refuse('bad-packet', `its packet can't be read: ${error.message}`, { source });
    }
  }

  /** The hardware address of a request that may be looked at; undefined, and counted, for any other packet. */
  #admit(packet: DhcpPacket, { source }: Inbound): Mac | undefined {
    if (packet.op !== BOOTREQUEST) {
      return this.refuse('not-a-request', `a DHCP request has op 1, found ${packet.op}`, { source });
    }
    const mac = hardwareAddress(packet);
    if (mac === undefined) {
      const { htype, hlen } = packet;
      const reason = `expected Ethernet (type 1, 6 bytes), found hardware type ${htype} with ${hlen} bytes`;
      return this.refuse('hardware-type', reason, { source });
    }
    const verdict = this.#rate.take(mac);
    if (verdict === 'fine') return mac;
    this.#tally.add('refused.rate-limit');
    const reason = 'it sends more packets than any machine that works, and most are thrown away';
    if (verdict === 'offender') this.#events.emit({ kind: 'dhcp.ignored', reason }, { mac: formatMac(mac) });
    return undefined;
  }

  #refuseLink({ giaddr }: DhcpPacket, { interface: device, address }: SocketHandle, sender: Sender): undefined {
    if (giaddr !== UNSPECIFIED) {
      return this.refuse('unknown-subnet', `relay ${formatIp4(giaddr)} speaks for no subnet of this rack`, sender);
    }
    // Where only relays are listened for, machines on the wire itself are somebody else's
    if (address === UNSPECIFIED) {
      this.#tally.add('passed-over');
      return undefined;
    }
    return this.refuse('unknown-subnet', `no subnet of this rack is on ${device ?? 'this interface'}`, sender);
  }
}

/**
 * Our address for a client behind a relay: that of the interface the relay came by; where no subnet is on it, one that
 * boot files are served on; else whichever of ours the relay wrote to.
 */
function addressBehindRelay({ served }: Addresses, handle: SocketHandle, { destination }: Inbound): Ip4 {
  if (handle.address !== UNSPECIFIED) return handle.address;
  return served.find(({ subnet }) => subnet.rackAddress !== undefined)?.subnet.rackAddress ?? destination;
}

function withKey(client: Client, { subnet }: ServedSubnet): Client {
  const key = clientKey(client, subnet);
  return key === client.key ? client : { ...client, key };
}

/** What a relay says; a client's own word about its link counts for nothing. */
export function readRelay({ giaddr, options }: DhcpPacket): RelayAgentInfo | undefined {
  return giaddr === UNSPECIFIED ? undefined : decodeRelayAgent(options.get(OptionCode.relayAgent));
}
