import { formatIp4, LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import { bootOffer, type BootOffer } from '../boot/boot-offer.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { EventSink, Service, ServiceContext } from '../service/service.ts';
import type { DatagramSocket, Inbound, LinkSender } from '../system/datagram.ts';
import type { EventBody } from '../timeline/event.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU8 } from '../wire/dhcp/options/integer.ts';
import { BOOTREQUEST, decodeDhcp, encodeDhcp, type DhcpMessage, type DhcpPacket } from '../wire/dhcp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { Addresses } from './addresses.ts';
import { readClient } from './client.ts';
import { handleDecline } from './decline.ts';
import { handleDiscover } from './discover.ts';
import type { Decision, Exchange } from './exchange.ts';
import { handleRelease } from './release.ts';
import { grantReply, nakReply } from './reply.ts';
import { replyAddress } from './reply-address.ts';
import { handleRequest, requestState, wantedAddress } from './request.ts';
import { chooseSubnet } from './subnet-choice.ts';

const SWEEP_MILLISECONDS = 1_000;
/** What every client must take (RFC 2131 §2), and the most that one Ethernet frame carries. */
const SMALLEST_LIMIT = 576 - 28;
const LARGEST_LIMIT = 1500 - 28;

/** Where lease changes are told. */
export interface LeaseNews extends EventSink {
  leaseBound(lease: LeaseFact): void;
  leaseEnded(address: Ip4): void;
}

export interface DhcpDependencies extends ServiceContext {
  readonly events: LeaseNews;
  readonly openSocket: (handle: SocketHandle) => DatagramSocket;
  readonly openLink: (handle: SocketHandle) => LinkSender;
  /** Called with the first Plan: where it keeps its state. */
  readonly openBook: (plan: Plan) => LeaseBook;
}

interface Listener {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
  close(): void;
}

/** A reply decided on, and what is to be said about it: neither leaves before the batch is on disk. */
interface Outgoing {
  readonly exchange: Exchange;
  readonly listener: Listener;
  readonly reply?: DhcpMessage;
  readonly isNak: boolean;
  /** The lease it promises. */
  readonly lease?: Lease;
  readonly ended?: Ip4;
  readonly event: EventBody;
  readonly address?: Ip4;
}

/** Gives addresses (RFC 2131). Works in batches: receive, decide, write all leases in one commit, then reply. */
export class DhcpService implements Service {
  readonly #dependencies: DhcpDependencies;
  readonly #counters = new Map<string, number>();
  readonly #buffer = new Uint8Array(LARGEST_LIMIT);
  readonly #startedAt: number;
  #plan: Plan | undefined;
  #book: LeaseBook | undefined;
  #addresses: Addresses | undefined;
  #listeners: Listener[] = [];
  #link: LinkSender | undefined;
  #linkFd = -1;
  /** Subnets whose range was found full: told once, until something in them came free. */
  readonly #full = new Set<string>();

  constructor(dependencies: DhcpDependencies) {
    this.#dependencies = dependencies;
    this.#startedAt = dependencies.clock.now() / 1000;
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    if (!this.#addresses) this.#open(plan);
    this.#plan = plan;
    this.#addresses?.apply(plan);
    this.#full.clear();
    this.#listen(sockets);
  }

  counters(): Counters {
    return { ...Object.fromEntries(this.#counters), leases: this.#book?.size ?? 0 };
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#link?.close();
    this.#book?.close();
  }

  #open(plan: Plan): void {
    const book = this.#dependencies.openBook(plan);
    this.#book = book;
    this.#addresses = new Addresses(book, this.#dependencies.clock);
    const now = this.#dependencies.clock.now() / 1000;
    for (const lease of book.all())
      if (lease.kept || lease.expires > now) this.#dependencies.events.leaseBound(factOf(lease));
    this.#scheduleSweep();
  }

  /** A socket that stays keeps its watch: nothing that waits in it is lost. */
  #listen(sockets: readonly SocketHandle[]): void {
    const kept = this.#listeners.filter(({ handle }) => sockets.some((other) => other.fd === handle.fd));
    for (const listener of this.#listeners) if (!kept.includes(listener)) listener.close();
    const fresh = sockets.filter(
      ({ fd, transport }) => transport === 'udp' && !kept.some(({ handle }) => handle.fd === fd),
    );
    this.#listeners = [...kept, ...fresh.map((handle) => this.#openListener(handle))];
    const link = sockets.find(({ transport }) => transport === 'link');
    if (link && link.fd !== this.#linkFd) {
      this.#link = this.#dependencies.openLink(link);
      this.#linkFd = link.fd;
    }
  }

  #openListener(handle: SocketHandle): Listener {
    const socket = this.#dependencies.openSocket(handle);
    const watch = this.#dependencies.loop.watch(handle.fd, () => this.#serveBatch(listener));
    const listener = { handle, socket, close: () => (watch.close(), socket.close()) };
    return listener;
  }

  #serveBatch(listener: Listener): void {
    const outgoing: Outgoing[] = [];
    listener.socket.receive((datagram) => {
      const answer = this.#serve(datagram, listener);
      if (answer) outgoing.push(answer);
    });
    const promised = this.#commit();
    for (const answer of outgoing) if (promised || !answer.lease) this.#finish(answer);
    this.#count('lost.send', listener.socket.flush() + (this.#link?.flush() ?? 0));
  }

  /** Whether every lease of this batch is on disk. */
  #commit(): boolean {
    try {
      this.#book?.commit();
      return true;
    } catch (error) {
      this.#count('refused.store-failed');
      const reason = error instanceof Error ? error.message : String(error);
      this.#dependencies.events.emit({ kind: 'dhcp.store-failed', reason });
      return false;
    }
  }

  #serve(datagram: Inbound, listener: Listener): Outgoing | undefined {
    this.#count('received');
    const exchange = this.#recognise(datagram, listener);
    if (!exchange) return undefined;
    const type = decodeU8(exchange.packet.options.get(OptionCode.messageType));
    if (type === undefined) return this.#refuse('bootp');
    switch (type) {
      case MessageType.discover:
        this.#count('received.discover');
        this.#emitDiscover(exchange);
        return this.#conclude(exchange, listener, handleDiscover(exchange));
      case MessageType.request:
        this.#count('received.request');
        return this.#request(exchange, listener);
      case MessageType.release:
        this.#count('received.release');
        return this.#conclude(exchange, listener, handleRelease(exchange));
      case MessageType.decline:
        this.#count('received.decline');
        return this.#conclude(exchange, listener, handleDecline(exchange));
      default:
        return this.#refuse('message-type');
    }
  }

  /** Reads a datagram; undefined, and counted, when it is not for us. */
  #recognise(datagram: Inbound, { handle }: Listener): Exchange | undefined {
    const packet = this.#decode(datagram.bytes);
    if (!packet) return undefined;
    if (packet.op !== BOOTREQUEST) return this.#refuse('not-a-request');
    const client = readClient(packet);
    if (!client) return this.#refuse('hardware-type');
    const addresses = this.#addresses;
    const served = addresses && chooseSubnet(addresses.served, packet, handle);
    if (!addresses || !served) return this.#refuse('unknown-subnet');
    return {
      packet,
      client,
      served,
      addresses,
      rackAddress: serverAddress(served.subnet.rackAddress, handle, datagram),
    };
  }

  #decode(bytes: Uint8Array): DhcpPacket | undefined {
    try {
      return decodeDhcp(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#refuse('bad-packet');
    }
  }

  #request(exchange: Exchange, listener: Listener): Outgoing | undefined {
    const decision = handleRequest(exchange);
    const wanted = wantedAddress(exchange);
    this.#emit(exchange, { kind: 'dhcp.request', state: requestState(exchange), wanted: formatIp4(wanted) });
    return this.#conclude(exchange, listener, decision);
  }

  /** Turns a decision into a reply and an event. */
  #conclude(exchange: Exchange, listener: Listener, decision: Decision): Outgoing | undefined {
    const base = { exchange, listener, isNak: false };
    switch (decision.kind) {
      case 'offer':
        return { ...base, ...this.#offer(exchange, decision.address) };
      case 'ack':
        return { ...base, ...this.#ack(exchange, decision.lease) };
      case 'nak': {
        this.#count('sent.nak');
        const { reason } = decision;
        return { ...base, isNak: true, reply: nakReply(exchange, reason), event: { kind: 'dhcp.nak', reason } };
      }
      case 'released':
        return { ...base, ended: decision.address, address: decision.address, event: { kind: 'dhcp.release' } };
      case 'declined':
        return { ...base, ended: decision.address, address: decision.address, event: { kind: 'dhcp.decline' } };
      case 'exhausted':
        return this.#exhausted(base);
      case 'silence':
        this.#count(decision.ordinary ? 'passed-over' : 'refused.unknown');
        return { ...base, event: { kind: 'dhcp.ignored', reason: decision.reason } };
    }
  }

  #offer(exchange: Exchange, address: Ip4): Pick<Outgoing, 'reply' | 'event' | 'address'> {
    this.#count('sent.offer');
    const boot = this.#bootOffer(exchange);
    const name = exchange.addresses.nameFor(exchange.client);
    const { leaseSeconds } = exchange.served.subnet;
    return {
      address,
      reply: grantReply(exchange, { type: MessageType.offer, address, name, boot }),
      event: { kind: 'dhcp.offer', leaseSeconds, ...bootFileOf(boot) },
    };
  }

  #ack(exchange: Exchange, lease: Lease): Pick<Outgoing, 'reply' | 'event' | 'address' | 'lease'> {
    this.#count('sent.ack');
    const boot = this.#bootOffer(exchange);
    const { address, name, expires } = lease;
    return {
      address,
      lease,
      reply: grantReply(exchange, { type: MessageType.ack, address, name, boot }),
      event: { kind: 'dhcp.ack', expires, ...(name === undefined ? {} : { name }), ...bootFileOf(boot) },
    };
  }

  #exhausted(base: Pick<Outgoing, 'exchange' | 'listener' | 'isNak'>): Outgoing | undefined {
    this.#count('refused.exhausted');
    const { network, prefix } = base.exchange.served.subnet.cidr;
    const subnet = `${formatIp4(network)}/${prefix}`;
    if (this.#full.has(subnet)) return undefined;
    this.#full.add(subnet);
    return { ...base, event: { kind: 'dhcp.exhausted', subnet } };
  }

  /** Sends a reply and tells what happened: the lease it promises is on disk. */
  #finish(outgoing: Outgoing): void {
    const { exchange, listener, reply, isNak, event, lease, ended, address } = outgoing;
    if (reply) this.#send(listener, exchange, reply, isNak);
    this.#emit(exchange, event, address);
    if (lease) this.#dependencies.events.leaseBound(factOf(lease));
    if (ended !== undefined) this.#dependencies.events.leaseEnded(ended);
  }

  #send(listener: Listener, exchange: Exchange, reply: DhcpMessage, isNak: boolean): void {
    const limit = Math.min(Math.max((exchange.client.maxMessageSize ?? 576) - 28, SMALLEST_LIMIT), LARGEST_LIMIT);
    const bytes = this.#buffer.subarray(0, encodeDhcp(reply, this.#buffer, limit));
    const to = replyAddress(reply, isNak);
    const { ifindex } = listener.handle;
    const source = exchange.rackAddress;
    if (to.kind === 'link' && this.#link && ifindex !== undefined) {
      const { mac } = exchange.client;
      this.#link.send(bytes, { ifindex, mac, source, sourcePort: 67, address: to.address, port: to.port });
      return;
    }
    // Without a raw socket a broadcast reaches the client just as well, and everyone else too
    const address = to.kind === 'link' ? LIMITED_BROADCAST : to.address;
    listener.socket.send(bytes, { address, port: to.port, source, ...(ifindex === undefined ? {} : { ifindex }) });
  }

  #scheduleSweep(): void {
    this.#dependencies.loop.after(SWEEP_MILLISECONDS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    for (const lease of this.#addresses?.sweep() ?? []) {
      this.#full.clear();
      // Released by the client: told then. Run out while we were down: nobody's news
      if (lease.expires < this.#startedAt || lease.released) continue;
      this.#dependencies.events.leaseEnded(lease.address);
      this.#count('expired');
      const subject = { mac: formatMac(lease.mac), address: formatIp4(lease.address) };
      this.#dependencies.events.emit({ kind: 'dhcp.expired' }, subject);
    }
  }

  #bootOffer({ client, rackAddress }: Exchange): BootOffer {
    return this.#plan ? bootOffer(this.#plan, client.boot, rackAddress) : { why: 'no plan' };
  }

  #emitDiscover(exchange: Exchange): void {
    const { arch, vendorClass, userClasses } = exchange.client.boot;
    const { giaddr } = exchange.packet;
    this.#emit(exchange, {
      kind: 'dhcp.discover',
      ...(arch === undefined ? {} : { arch }),
      ...(vendorClass === undefined ? {} : { vendorClass }),
      ...(userClasses[0] === undefined ? {} : { userClass: userClasses[0] }),
      ...(giaddr === UNSPECIFIED ? {} : { relay: formatIp4(giaddr) }),
    });
  }

  #emit({ client }: Exchange, event: EventBody, address?: Ip4): void {
    const mac = client.key;
    this.#dependencies.events.emit(event, address === undefined ? { mac } : { mac, address: formatIp4(address) });
  }

  #refuse(reason: string): undefined {
    this.#count(`refused.${reason}`);
  }

  #count(name: string, by = 1): void {
    if (by > 0) this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }
}

/** Our address on the client's subnet; behind a relay, the address of ours that the relay wrote to. */
function serverAddress(own: Ip4 | undefined, handle: SocketHandle, datagram: Inbound): Ip4 {
  if (own !== undefined) return own;
  return handle.address === UNSPECIFIED ? datagram.destination : handle.address;
}

function bootFileOf(boot: BootOffer): { bootFile?: string } {
  return boot.bootFile === undefined ? {} : { bootFile: boot.bootFile };
}

/** A kept address belongs to its machine on or off: its name stays. */
function factOf({ address, mac, name, expires, kept }: Lease): LeaseFact {
  return {
    address,
    mac: formatMac(mac),
    ...(name === undefined ? {} : { name }),
    ...(kept ? {} : { expires }),
  };
}
