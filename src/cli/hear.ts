import { LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { cidrContains } from '../addr/cidr.ts';
import type { Heard } from '../dhcp/intake.ts';
import { CLIENT_PORT, SERVER_PORT } from '../dhcp/reply-address.ts';
import type { Plan } from '../plan/plan.ts';
import { wantedSockets, type Wanted } from '../rack/listeners.ts';
import type { SocketHandle } from '../service/letters.ts';
import { WordsError } from './machine-words.ts';

export interface Place {
  /** Given outright. */
  readonly interface?: string | undefined;
  readonly giaddr: Ip4;
  /** It writes to the rack alone, from this address. */
  readonly aloneFrom?: Ip4 | undefined;
  /** An address of this machine, for relays that reach it where no subnet is. */
  readonly ownAddress?: Ip4 | undefined;
}

/** The packet as the socket hears it that the daemon would have for it. Throws WordsError. */
export function hear(
  plan: Plan,
  bytes: Uint8Array,
  { interface: device, giaddr, aloneFrom, ownAddress }: Place,
): Heard {
  const handle = handleFor(plan, device, giaddr === UNSPECIFIED ? (aloneFrom ?? giaddr) : giaddr);
  const isRelayed = giaddr !== UNSPECIFIED;
  const own = handle.address === UNSPECIFIED ? (ownAddress ?? UNSPECIFIED) : handle.address;
  return {
    handle,
    datagram: {
      bytes,
      source: aloneFrom ?? giaddr,
      sourcePort: isRelayed ? SERVER_PORT : CLIENT_PORT,
      destination: isRelayed || aloneFrom !== undefined ? own : LIMITED_BROADCAST,
      ifindex: 1,
    },
  };
}

function handleFor(plan: Plan, device: string | undefined, giaddr: Ip4): SocketHandle {
  const handles = handlesOf(plan);
  const names = handles.flatMap((handle) => handle.interface ?? []);
  const known = names.length === 0 ? 'none: there are only relays' : names.join(', ');
  if (device !== undefined) {
    const named = handles.find((handle) => handle.interface === device);
    if (!named) throw new WordsError(`--interface: expected one that DHCP is served on (${known}), found "${device}"`);
    return named;
  }
  const local = handles.filter(({ address }) => address !== UNSPECIFIED);
  if (giaddr === UNSPECIFIED && local.length > 1) {
    throw new WordsError(`--interface: expected one of ${known}, or --relay, found none`);
  }
  const near = plan.subnets.find(({ cidr }) => cidrContains(cidr, giaddr))?.interface;
  const handle = handles.find((each) => each.interface === near && near !== undefined) ?? local[0] ?? handles[0];
  if (!handle)
    throw new WordsError('expected a file that serves DHCP on a subnet, found none that does on this machine');
  return handle;
}

/** One for each interface, as the rack would open them. Of several subnets on one it is known by the address in the last. */
function handlesOf(plan: Plan): SocketHandle[] {
  const wanted = wantedSockets(plan).filter(isServerSocket);
  const byInterface = new Map(wanted.map((socket) => [socket.interface, socket]));
  return Array.from(byInterface.values(), ({ interface: device, address, port, transport }) => ({
    fd: -1,
    transport,
    address,
    port,
    ...(device === undefined ? {} : { interface: device, ifindex: 1 }),
  }));
}

/** Not the boot server's, where a machine writes once it has an address. */
function isServerSocket({ service, transport, port }: Wanted): boolean {
  return service === 'dhcp' && transport === 'udp' && port === SERVER_PORT;
}
