import { formatIp4, LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Plan, Subnet } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import { openArpSocket } from '../system/arp-socket.ts';
import { SystemCallError, type Libc } from '../system/libc.ts';
import type { LocalAddress } from '../system/interfaces.ts';
import { openFrameTap } from '../system/frame-tap.ts';
import { openLinkSocket } from '../system/link-socket.ts';
import { arpFilter, dhcpFilter } from '../system/packet-filter.ts';
import { openTcpListener } from '../system/tcp-listener.ts';
import { allowReuse, openUdp, retire, shareLoad } from '../system/udp-socket.ts';
import type { ServiceName } from '../timeline/event.ts';
import { describePortHolder } from './port-holder.ts';

const DHCP_PORT = 67;
/** PXE 2.1 §2.2: where clients ask for their boot file. */
const BOOT_SERVER_PORT = 4011;
const DNS_PORT = 53;
const TFTP_PORT = 69;
/** A thousand machines that power up at once send some 600 KB of DISCOVERs before the first is read. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** A socket that a service is to have, not opened yet. */
export interface Wanted {
  readonly service: ServiceName;
  readonly transport: SocketHandle['transport'];
  readonly interface?: string;
  readonly address: Ip4;
  readonly bindAddress: Ip4;
  readonly port: number;
  /** Without it the rack serves on: another program may have the port on that interface, or raw sockets are not permitted. */
  readonly isOptional?: boolean;
  /** Another program may have the port beside us. */
  readonly isShared?: boolean;
  /** Which thread of the service is to have it, from 2; absent: the first. The sockets of all share what comes. */
  readonly thread?: number;
}

/** A port could not be had; the message says which and who can mend it. */
class ListenError extends Error {
  override readonly name = 'ListenError';
}

interface Open {
  readonly wanted: Wanted;
  readonly fd: number;
}

/** New sockets, open beside the old ones: taken by `commit`, or closed again by `cancel`. */
export interface PreparedListeners {
  /**
   * From now on services get these. Returns what closes those no longer wanted: to be called when no service uses
   * them any more, as a closed descriptor's number may come back as something else.
   */
  commit(): () => void;
  cancel(): void;
}

/**
 * The rack's sockets. The rack opens them all before any service starts, so that a taken port ends the start at once,
 * and keeps them while services come and go: what arrives meanwhile waits in the kernel.
 */
export class Listeners {
  readonly #libc: Libc;
  #open = new Map<string, Open>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Opens what `plan` needs and is not open yet. Throws ListenError, with nothing left open, when one can't be had. */
  prepare(plan: Plan): PreparedListeners {
    const next = new Map<string, Open>();
    const fresh: Open[] = [];
    const all = wantedSockets(plan);
    try {
      for (const wanted of all) {
        const key = this.#keyOf(wanted);
        const present = next.get(key) ?? this.#open.get(key);
        // With the new `wanted`: the address an interface has may be another now
        const fd = present ? present.fd : this.#openWanted(wanted, next.values());
        if (fd === undefined) continue;
        const open = { wanted, fd };
        if (!present) fresh.push(open);
        next.set(key, open);
      }
    } catch (error) {
      this.#cancel(fresh, all);
      throw error;
    }
    return { cancel: () => this.#cancel(fresh, all), commit: () => this.#commit(next) };
  }

  /** What a thread of `service` is to use. */
  handles(service: ServiceName, thread = 1): readonly SocketHandle[] {
    const isMine = ({ wanted }: Open): boolean => wanted.service === service && (wanted.thread ?? 1) === thread;
    const mine = [...this.#open.values()].filter(isMine);
    return mine.map(({ wanted, fd }) => ({
      fd,
      transport: wanted.transport,
      address: wanted.address,
      port: wanted.port,
      ...(wanted.interface === undefined ? {} : this.#device(wanted.interface)),
    }));
  }

  /** What sockets depend on, as one comparable text: an interface made anew has the same name and another number. */
  describeInterfaces(addresses: readonly LocalAddress[]): string {
    const rows = addresses.map(
      ({ name, address, prefix }) => `${name}#${this.#libc.if_nametoindex(name)} ${address}/${prefix}`,
    );
    return rows.toSorted().join(', ');
  }

  close(): void {
    this.#close(this.#open.values());
    this.#open.clear();
  }

  #cancel(fresh: readonly Open[], all: readonly Wanted[]): void {
    this.#close(fresh);
    this.#keepAlone(all);
  }

  #commit(next: Map<string, Open>): () => void {
    const gone = [...this.#open].filter(([key]) => !next.has(key)).map(([, open]) => open);
    this.#open = next;
    // To the threads that stay: what these hold already is still read
    for (const { fd, wanted } of gone) if (wanted.thread !== undefined) retire(this.#libc, fd, wanted.bindAddress);
    return () => {
      this.#close(gone);
      this.#keepAlone(gone.map(({ wanted }) => wanted));
    };
  }

  /** A port that is not shared any more is nobody else's to have. */
  #keepAlone(gone: readonly Wanted[]): void {
    for (const wanted of gone.filter(({ thread }) => thread !== undefined)) {
      const mates = [...this.#open.values()].filter((open) => isSamePort(open.wanted, wanted));
      if (mates.length === 1) for (const { fd } of mates) shareLoad(this.#libc, fd, false);
    }
  }

  #device(name: string): Pick<SocketHandle, 'interface' | 'ifindex'> {
    return { interface: name, ifindex: this.#libc.if_nametoindex(name) };
  }

  /** An interface that was made anew under its old name has another index, and a socket bound to the old one is deaf. */
  #keyOf({ service, transport, interface: device, bindAddress, port, thread = 1 }: Wanted): string {
    const ifindex = device === undefined ? 0 : this.#libc.if_nametoindex(device);
    return `${service} ${transport} ${ifindex} ${bindAddress} ${port} ${thread}`;
  }

  /** `opened`: those that were opened for the same Plan. */
  #openWanted(wanted: Wanted, opened: Iterable<Open>): number | undefined {
    try {
      // The first is opened alone: another program that has the port is then found, whatever it would share
      if (wanted.thread !== undefined) this.#share(wanted, opened);
      return this.#openOne(wanted);
    } catch (error) {
      if (wanted.isOptional && error instanceof ListenError) return undefined;
      throw error;
    }
  }

  #share(wanted: Wanted, opened: Iterable<Open>): void {
    for (const open of opened) if (isSamePort(open.wanted, wanted)) shareLoad(this.#libc, open.fd, true);
  }

  #openOne(wanted: Wanted): number {
    try {
      switch (wanted.transport) {
        case 'tcp':
          return openTcpListener(this.#libc, wanted.bindAddress, wanted.port);
        case 'link':
          return openLinkSocket(this.#libc);
        case 'arp':
          return openArpSocket(this.#libc, this.#libc.if_nametoindex(wanted.interface ?? ''));
        case 'arp-tap':
          return openFrameTap(this.#libc, this.#libc.if_nametoindex(wanted.interface ?? ''), arpFilter());
        case 'dhcp-tap':
          return openFrameTap(this.#libc, this.#libc.if_nametoindex(wanted.interface ?? ''), dhcpFilter());
        case 'udp':
          return this.#openUdp(wanted);
      }
    } catch (error) {
      throw error instanceof SystemCallError ? explain(wanted, error) : error;
    }
  }

  /**
   * A subnet that becomes a proxy's, or ceases to be one, needs another socket on the port while ours of before is still
   * open: then, and only for that moment, they let each other be.
   */
  #openUdp(wanted: Wanted): number {
    const ours = [...this.#open.values()].filter((open) => isInWay(open.wanted, wanted));
    const { isShared = false } = wanted;
    for (const { fd } of ours) allowReuse(this.#libc, fd, true);
    try {
      const fd = openUdp(this.#libc, {
        address: wanted.bindAddress,
        port: wanted.port,
        receiveBuffer: RECEIVE_BUFFER,
        sendBuffer: RECEIVE_BUFFER,
        broadcast: wanted.service === 'dhcp',
        tellsDestination: wanted.service !== 'dns',
        reuseAddress: isShared || ours.length > 0,
        reusePort: wanted.thread !== undefined,
        ...(wanted.interface === undefined ? {} : { interface: wanted.interface }),
      });
      if (!isShared && ours.length > 0) allowReuse(this.#libc, fd, false);
      return fd;
    } finally {
      for (const { fd, wanted: before } of ours) allowReuse(this.#libc, fd, before.isShared ?? false);
    }
  }

  #close(sockets: Iterable<Open>): void {
    for (const { fd } of sockets) this.#libc.close(fd);
  }
}

/** What a Plan is served on. */
export function wantedSockets(plan: Plan): Wanted[] {
  const managed = plan.subnets.filter((subnet) => subnet.management !== 'none');
  const hasRelayed = managed.some((subnet) => subnet.interface === undefined);
  const local = managed.filter((subnet) => subnet.rackAddress !== undefined);
  const wanted = local.flatMap((subnet) => subnetSockets(plan, subnet, subnet.rackAddress ?? UNSPECIFIED, hasRelayed));
  if (local.some((subnet) => subnet.interface !== undefined)) {
    wanted.push({ service: 'dhcp', transport: 'link', address: UNSPECIFIED, bindAddress: UNSPECIFIED, port: 0 });
  }
  for (const device of checkedInterfaces(local)) wanted.push(arpSocket(device));
  if (plan.watch) wanted.push(...localInterfaces(local).flatMap(taps));
  for (const device of plan.relayInterfaces ?? [])
    wanted.push({ ...dhcpSocket(UNSPECIFIED, device), isOptional: true });
  // Only relayed subnets: relays may reach any of our addresses
  if (local.length === 0 && managed.length > 0) wanted.push(dhcpSocket(UNSPECIFIED));
  return managed.some(isRelayedProxy) ? wanted.flatMap(withBootServer) : wanted;
}

/** Its machines write to whatever address of ours the relay came to, by the routers. */
function isRelayedProxy({ management, interface: device }: Subnet): boolean {
  return management === 'proxy' && device === undefined;
}

/** Where addresses are looked for before they are offered. */
function checkedInterfaces(local: readonly Subnet[]): Set<string> {
  const checked = local.filter(({ conflictCheck, management }) => conflictCheck !== 'off' && management !== 'proxy');
  return new Set(checked.map((subnet) => subnet.interface).filter((device) => device !== undefined));
}

function localInterfaces(local: readonly Subnet[]): string[] {
  return [...new Set(local.map((subnet) => subnet.interface).filter((device) => device !== undefined))];
}

function arpSocket(device: string): Wanted {
  return { service: 'dhcp', transport: 'arp', ...rawSocket(device) };
}

/** DHCP has a tap of its own, so that a flood of ARP drowns none of it. */
function taps(device: string): Wanted[] {
  const raw = rawSocket(device);
  return [
    { service: 'watch', transport: 'arp-tap', ...raw },
    { service: 'watch', transport: 'dhcp-tap', ...raw },
  ];
}

function rawSocket(device: string): Omit<Wanted, 'service' | 'transport'> {
  return { interface: device, address: UNSPECIFIED, bindAddress: UNSPECIFIED, port: 0, isOptional: true };
}

/**
 * DHCP hears broadcasts, so it binds to the device and not to the address. On an interface without a subnet we are known
 * by whatever address of ours the relay wrote to.
 */
function dhcpSocket(address: Ip4, device?: string): Wanted {
  const where = device === undefined ? {} : { interface: device };
  return { service: 'dhcp', transport: 'udp', ...where, address, bindAddress: UNSPECIFIED, port: DHCP_PORT };
}

function withBootServer(wanted: Wanted): Wanted[] {
  if (wanted.service !== 'dhcp' || wanted.transport !== 'udp' || wanted.port !== DHCP_PORT) return [wanted];
  const { isShared: _alone, ...rest } = wanted;
  return [wanted, { ...rest, bindAddress: UNSPECIFIED, port: BOOT_SERVER_PORT }];
}

/**
 * A server of addresses on this very machine hears what is written to it alone only if nobody else listens for that: as
 * its neighbour we take the broadcasts, and our own port beside it. Where relays are to be heard the port must be ours.
 */
function proxySockets(address: Ip4, device: string | undefined, hasRelayed: boolean): Wanted[] {
  const whole = dhcpSocket(address, device);
  return withBootServer(hasRelayed ? whole : { ...whole, bindAddress: LIMITED_BROADCAST, isShared: true });
}

function subnetSockets(plan: Plan, subnet: Subnet, address: Ip4, hasRelayed: boolean): Wanted[] {
  const { interface: device, management } = subnet;
  const sockets: Wanted[] = [
    ...(management === 'proxy' ? proxySockets(address, device, hasRelayed) : [dhcpSocket(address, device)]),
    { service: 'tftp', transport: 'udp', address, bindAddress: address, port: TFTP_PORT },
    { service: 'http', transport: 'tcp', address, bindAddress: address, port: plan.http.port },
  ];
  if (plan.http.tls) {
    sockets.push({ service: 'http', transport: 'tcp', address, bindAddress: address, port: plan.http.tls.port });
  }
  if (management === 'dhcp+dns') {
    const dns = { service: 'dns', address, bindAddress: address, port: DNS_PORT } as const;
    sockets.push({ ...dns, transport: 'udp' }, { ...dns, transport: 'tcp' });
    for (let thread = 2; thread <= plan.dns.threads; thread++) sockets.push({ ...dns, transport: 'udp', thread });
  }
  return sockets;
}

/** Whether a socket of ours keeps another from being bound. */
function isInWay(open: Wanted, wanted: Wanted): boolean {
  const isSamePlace = open.transport === 'udp' && open.interface === wanted.interface && open.port === wanted.port;
  return isSamePlace && open.service === wanted.service && open.bindAddress !== wanted.bindAddress;
}

/** Whether the sockets are of threads of one service, which share a port. */
function isSamePort(a: Wanted, b: Wanted): boolean {
  const isSamePlace = a.bindAddress === b.bindAddress && a.interface === b.interface && a.port === b.port;
  return isSamePlace && a.service === b.service && a.transport === b.transport;
}

function explain(wanted: Wanted, error: SystemCallError): ListenError {
  const where =
    wanted.bindAddress === UNSPECIFIED || wanted.bindAddress === LIMITED_BROADCAST
      ? (wanted.interface ?? 'any address')
      : formatIp4(wanted.bindAddress);
  const what = wanted.port === 0 ? 'a raw socket' : `${wanted.port}/${wanted.transport} on ${where}`;
  return new ListenError(`${wanted.service} can't have ${what}: ${remedy(wanted, error)}`);
}

/** Who has the port, or how to find out: only root may see another user's sockets. */
function holderOf({ transport, port }: Wanted): string {
  const holder = describePortHolder(transport, port);
  return holder === '' ? ` (as root, \`ss -ulntp sport = :${port}\` names it)` : holder;
}

function remedy(wanted: Wanted, error: SystemCallError): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `another program has it${holderOf(wanted)}; stop that program, or take this subnet out of the file`;
    case 'EACCES':
    case 'EPERM':
      return 'not permitted: run as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW as systemd/rackboot.service does';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address (any more): give it to the interface, or correct `subnets` in the file';
    case 'ENODEV':
      return `there is no interface ${wanted.interface ?? ''}: correct \`interface\` in the file, or create it first`;
    default:
      return error.message;
  }
}
