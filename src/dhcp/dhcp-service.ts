import { cidrContains, formatCidr } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { bootOffer, type BootOffer } from '../boot/boot-offer.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import type { Plan } from '../plan/plan.ts';
import { Tally } from '../service/tally.ts';
import type { Counters, LeaseAnswer, LeaseFact, LeaseOrder, LeaseWish, SocketHandle } from '../service/letters.ts';
import type { EventSink, Service, ServiceContext } from '../service/service.ts';
import type { Inbound } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import type { EventBody } from '../timeline/event.ts';
import { MessageType, messageTypeName } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU8 } from '../wire/dhcp/options/integer.ts';
import { decodeRelayAgent, type RelayAgentInfo } from '../wire/dhcp/options/relay-agent.ts';
import { BOOTREQUEST, decodeDhcp, type DhcpPacket } from '../wire/dhcp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { Addresses, type ServedSubnet } from './addresses.ts';
import { bootpReply, handleBootp, isEndless } from './bootp.ts';
import { ClientRate } from './client-rate.ts';
import { clientKey, hardwareAddress, readClient, type Client } from './client.ts';
import { handleDecline } from './decline.ts';
import { handleDiscover, withRapidCommit } from './discover.ts';
import type { Decision, Exchange } from './exchange.ts';
import { importLeases } from './import-leases.ts';
import { handleInform, informReply } from './inform.ts';
import { offerOnLink, orderLink } from './link.ts';
import { Listeners, type Listener, type ListenersDependencies } from './listeners.ts';
import { OptionLayers } from './option-layers.ts';
import { Refusals, type Sender } from './refusals.ts';
import { handleRelease } from './release.ts';
import { grantReply, nakReply, type DhcpReply, type Grant } from './reply.ts';
import { ReplySender } from './reply-sender.ts';
import { handleRequest, requestState, wantedAddress } from './request.ts';
import { shortenGrant } from './shorten-grant.ts';
import { chooseLink } from './subnet-choice.ts';

const SWEEP_MILLISECONDS = 1_000;
/** Of a lease that can't be prolonged, less than this is not worth a reply: the client asks again at once. */
const LEAST_SECONDS_LEFT = 60;

/** Where lease changes are told. */
interface LeaseNews extends EventSink {
  leaseBound(lease: LeaseFact): void;
  leaseEnded(address: Ip4): void;
}

export interface DhcpDependencies extends ServiceContext, ListenersDependencies {
  readonly events: LeaseNews;
  /** Called with the first Plan: where it keeps its state. */
  readonly openBook: (plan: Plan) => LeaseBook;
}

/** A reply decided on, and what is to be said about it: neither leaves before the batch is on disk. */
interface Outgoing {
  readonly exchange: Exchange;
  readonly listener: Listener;
  readonly reply?: DhcpReply;
  /** It stands on what this batch writes: without the commit it did not happen. */
  readonly isWritten?: boolean;
  /** The lease it promises. */
  readonly lease?: Lease;
  /** The address whose lease it ends. */
  readonly ended?: Ip4;
  readonly event: EventBody;
  readonly address?: Ip4;
}

/** Gives addresses (RFC 2131). Works in batches: receive, decide, write all leases in one commit, then reply. */
export class DhcpService implements Service {
  readonly #dependencies: DhcpDependencies;
  readonly #tally = new Tally('received', 'lost.send');
  readonly #listeners: Listeners;
  readonly #sender = new ReplySender();
  readonly #refusals: Refusals;
  readonly #rate: ClientRate;
  #plan: Plan | undefined;
  #book: LeaseBook | undefined;
  #addresses: Addresses | undefined;
  #optionLayers = new OptionLayers({ subnets: [], hosts: [] });
  #sweepTimer: Timer | undefined;
  /** Leases end by it: a wall clock that is set ends none. */
  readonly #clock: SteadyClock;
  /** Why leases can't be written now. */
  #storeFault: string | undefined;
  /** Subnets whose range was found full: told once, until something in them came free. */
  readonly #full = new Set<string>();

  constructor(dependencies: DhcpDependencies) {
    this.#dependencies = dependencies;
    this.#clock = new SteadyClock(dependencies.clock);
    this.#refusals = new Refusals(this.#tally, dependencies.events, dependencies.clock);
    this.#rate = new ClientRate(dependencies.clock);
    this.#listeners = new Listeners(dependencies, (listener) => this.#serveBatch(listener));
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#plan = plan;
    this.#optionLayers = new OptionLayers(plan);
    if (!this.#addresses) this.#open(plan);
    else for (const { address } of this.#addresses.apply(plan)) this.#dependencies.events.leaseEnded(address);
    this.#full.clear();
    this.#listeners.apply(sockets);
  }

  obey(order: LeaseOrder): LeaseAnswer {
    const addresses = this.#addresses;
    if (!addresses) return { done: [], refused: [], fault: 'the leases are not read yet' };
    this.#followClock();
    return order.kind === 'release' ? this.#revoke(addresses, order.of) : this.#import(addresses, order.leases);
  }

  counters(): Counters {
    return { ...this.#tally.read(), leases: this.#book?.size ?? 0 };
  }

  close(): void {
    this.#sweepTimer?.cancel();
    this.#listeners.close();
    this.#book?.close();
  }

  /** Tells every lease, ended ones too: after a failure of this thread the rack knows some that ran out meanwhile. */
  #open(plan: Plan): void {
    const { events, openBook } = this.#dependencies;
    const book = openBook(plan);
    const addresses = new Addresses(book, this.#clock);
    // A computer without a clock of its own starts in the past: no time passed, as far as it knows
    const back = Math.ceil(this.#clock.now() / 1000) - (book.lastWrite ?? 0);
    if (back < 0) book.shift(back);
    addresses.apply(plan);
    addresses.sweep();
    const leases = [...book.all()];
    for (const lease of leases) if (!addresses.isHeld(lease)) events.leaseEnded(lease.address);
    for (const lease of leases)
      if (addresses.isHeld(lease)) events.leaseBound(factOf(lease, addresses.isHostsBySign(lease)));
    this.#book = book;
    this.#addresses = addresses;
    if (book.fault !== undefined) this.#storeFailed(book.fault);
    this.#scheduleSweep();
  }

  #serveBatch(listener: Listener): void {
    const outgoing: Outgoing[] = [];
    this.#followClock();
    if (this.#storeFault !== undefined) this.#retryStore();
    listener.socket.receive((datagram) => {
      const answer = this.#serve(datagram, listener);
      if (answer) outgoing.push(answer);
    });
    const promised = this.#commit();
    for (const answer of outgoing) {
      if (promised || !answer.isWritten) this.#finish(answer);
      else this.#confirm(answer);
    }
    this.#tally.add('lost.send', listener.socket.flush() + (this.#listeners.link?.flush() ?? 0));
  }

  /** Whether every lease of this batch is on disk. */
  #commit(): boolean {
    try {
      this.#addresses?.commit();
      return true;
    } catch (error) {
      this.#tally.add('refused.store-failed');
      this.#storeFailed(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** One event when it begins and one when it ends, however many packets come in between. */
  #storeFailed(reason: string): void {
    if (this.#storeFault === undefined) this.#dependencies.events.emit({ kind: 'dhcp.store-failed', reason });
    this.#storeFault = reason;
  }

  #retryStore(): void {
    try {
      this.#book?.write();
    } catch {
      return;
    }
    this.#storeFault = undefined;
    this.#dependencies.events.emit({ kind: 'dhcp.store-works' });
  }

  /**
   * The disk did not take the lease. What stands on it from before still holds, after a power cut too: a client that
   * wants the address it has is told how long it may keep it. Anyone else hears nothing, and may ask another server.
   */
  #confirm({ lease, reply, ...rest }: Outgoing): void {
    if (!lease || !reply) return;
    const { client, addresses } = rest.exchange;
    const held = addresses.leaseOf(client, lease.address);
    const left = addresses.secondsLeft(client, lease.address);
    if (!held || rest.event.kind !== 'dhcp.ack' || left < LEAST_SECONDS_LEFT) {
      const reason = "leases can't be written";
      return this.#finish({ ...rest, event: { kind: 'dhcp.ignored', reason } });
    }
    this.#tally.add('confirmed');
    this.#finish({ ...rest, reply: shortenGrant(reply, left), event: { ...rest.event, expires: held.expires } });
  }

  /** The wall clock was set: the leases are moved with it before anyone is answered by it. */
  #followClock(): void {
    const seconds = this.#clock.follow();
    const [book, addresses] = [this.#book, this.#addresses];
    if (seconds === 0 || !book || !addresses) return;
    book.shift(seconds);
    this.#commit();
    this.#dependencies.events.emit({ kind: 'dhcp.clock-set', seconds });
    for (const lease of book.all()) if (addresses.isHeld(lease)) this.#dependencies.events.leaseBound(factOf(lease));
  }

  #serve(datagram: Inbound, listener: Listener): Outgoing | undefined {
    this.#tally.add('received');
    const exchange = this.#recognise(datagram, listener);
    if (!exchange) return undefined;
    const { options } = exchange.packet;
    if (!options.has(OptionCode.messageType)) return this.#bootp(exchange, listener);
    const type = decodeU8(options.get(OptionCode.messageType)) ?? 0;
    switch (type) {
      case MessageType.discover:
        this.#tally.add('received.discover');
        this.#emitDiscover(exchange);
        return this.#concludeOnLink(exchange, listener, handleDiscover);
      case MessageType.request:
        this.#tally.add('received.request');
        return this.#request(exchange, listener);
      case MessageType.release:
        this.#tally.add('received.release');
        return this.#conclude(exchange, listener, handleRelease(exchange));
      case MessageType.decline:
        this.#tally.add('received.decline');
        return this.#conclude(exchange, listener, handleDecline(exchange));
      case MessageType.inform:
        this.#tally.add('received.inform');
        return this.#conclude(exchange, listener, handleInform(exchange));
      default:
        return this.#refuse('message-type', `expected a message of a DHCP client, found ${messageTypeName(type)}`, {
          mac: exchange.client.mac,
          source: datagram.source,
        });
    }
  }

  /** Reads a datagram; undefined, and counted, when it is not for us. */
  #recognise(datagram: Inbound, { handle }: Listener): Exchange | undefined {
    const packet = this.#decode(datagram);
    if (!packet) return undefined;
    const mac = this.#admit(packet, datagram);
    if (mac === undefined) return undefined;
    const client = readClient(packet, mac);
    const addresses = this.#addresses;
    const relay = readRelay(packet);
    const link = addresses ? chooseLink(addresses.served, packet, relay, handle, datagram.destination) : [];
    const [first] = link;
    if (!addresses || !first) return this.#refuseLink(packet, handle, { mac, source: datagram.source });
    const keyed = withKey(client, first);
    const ordered = link.length > 1 ? orderLink(link, keyed, packet, addresses) : link;
    const served = ordered[0] ?? first;
    const rackAddress = served.subnet.rackAddress ?? this.#addressBehindRelay(handle, datagram);
    return {
      packet,
      client: keyed,
      served,
      link: ordered,
      addresses,
      optionLayers: this.#optionLayers,
      rackAddress,
      serverId: relay?.serverIdOverride ?? rackAddress,
      ...(relay?.sourcePort ? { relayPort: datagram.sourcePort } : {}),
    };
  }

  /**
   * Our address for a client behind a relay: that of the interface the relay came by; where no subnet is on it, one that
   * boot files are served on; else whichever of ours the relay wrote to.
   */
  #addressBehindRelay(handle: SocketHandle, { destination }: Inbound): Ip4 {
    if (handle.address !== UNSPECIFIED) return handle.address;
    const local = this.#addresses?.served.find(({ subnet }) => subnet.rackAddress !== undefined);
    return local?.subnet.rackAddress ?? destination;
  }

  /** The hardware address of a request that may be looked at; undefined, and counted, for any other packet. */
  #admit(packet: DhcpPacket, { source }: Inbound): Mac | undefined {
    if (packet.op !== BOOTREQUEST) {
      return this.#refuse('not-a-request', `a DHCP request has op 1, found ${packet.op}`, { source });
    }
    const mac = hardwareAddress(packet);
    if (mac === undefined) {
      const { htype, hlen } = packet;
      const reason = `expected Ethernet (type 1, 6 bytes), found hardware type ${htype} with ${hlen} bytes`;
      return this.#refuse('hardware-type', reason, { source });
    }
    const verdict = this.#rate.take(mac);
    if (verdict === 'fine') return mac;
    this.#tally.add('refused.rate-limit');
    const reason = 'it sends more packets than any machine that works, and most are thrown away';
    if (verdict === 'offender')
      this.#dependencies.events.emit({ kind: 'dhcp.ignored', reason }, { mac: formatMac(mac) });
    return undefined;
  }

  #refuseLink({ giaddr }: DhcpPacket, { interface: device, address }: SocketHandle, sender: Sender): undefined {
    if (giaddr !== UNSPECIFIED) {
      return this.#refuse('unknown-subnet', `relay ${formatIp4(giaddr)} speaks for no subnet of this rack`, sender);
    }
    // Where only relays are listened for, machines on the wire itself are somebody else's
    if (address === UNSPECIFIED) {
      this.#tally.add('passed-over');
      return undefined;
    }
    return this.#refuse('unknown-subnet', `no subnet of this rack is on ${device ?? 'this interface'}`, sender);
  }

  #decode({ bytes, source }: Inbound): DhcpPacket | undefined {
    try {
      return decodeDhcp(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#refuse('bad-packet', `its packet can't be read: ${error.message}`, { source });
    }
  }

  #bootp(exchange: Exchange, listener: Listener): Outgoing | undefined {
    this.#tally.add('received.bootp');
    this.#emit(exchange, { kind: 'dhcp.bootp' });
    return this.#concludeOnLink(exchange, listener, handleBootp);
  }

  /** For a client that has no address yet: of several subnets the first that has one for it. */
  #concludeOnLink(exchange: Exchange, listener: Listener, handle: (on: Exchange) => Decision): Outgoing | undefined {
    const { on, decision } = offerOnLink(exchange, handle);
    return this.#conclude(on, listener, decision);
  }

  #request(exchange: Exchange, listener: Listener): Outgoing | undefined {
    const decision = handleRequest(exchange);
    const wanted = wantedAddress(exchange);
    this.#emit(exchange, { kind: 'dhcp.request', state: requestState(exchange), wanted: formatIp4(wanted) });
    return this.#conclude(exchange, listener, decision);
  }

  /** Turns a decision into a reply and an event. */
  #conclude(exchange: Exchange, listener: Listener, decision: Decision): Outgoing | undefined {
    const base = { exchange, listener };
    switch (decision.kind) {
      case 'offer':
        if (this.#storeFault !== undefined) return { ...base, ...this.#offerUnwritten(exchange, decision.address) };
        return { ...base, ...this.#offer(exchange, decision.address) };
      case 'ack':
        return { ...base, ...this.#ack(exchange, decision) };
      case 'nak': {
        const { reason } = decision;
        return { ...base, reply: nakReply(exchange, reason), event: { kind: 'dhcp.nak', reason } };
      }
      case 'informed':
        return { ...base, ...this.#inform(exchange, decision.address) };
      case 'released':
        return { ...base, ...ending(decision.address, !decision.kept), event: { kind: 'dhcp.release' } };
      case 'declined':
        return { ...base, ...this.#decline(decision) };
      case 'exhausted':
        return this.#exhausted(base);
      case 'silence':
        this.#tally.add(decision.ordinary ? 'passed-over' : `refused.${decision.counter ?? 'unknown'}`);
        return { ...base, event: { kind: 'dhcp.ignored', reason: decision.reason } };
    }
  }

  #offer(exchange: Exchange, address: Ip4): Pick<Outgoing, 'reply' | 'event' | 'address'> {
    const boot = this.#bootOffer(exchange);
    const name = exchange.addresses.nameFor(exchange.client);
    const { leaseSeconds } = exchange.served.subnet;
    return {
      address,
      reply: grantReply(exchange, { type: MessageType.offer, address, name, boot }),
      event: { kind: 'dhcp.offer', leaseSeconds, ...bootFileOf(boot) },
    };
  }

  /** While leases can't be written, only what the client has already can be promised. */
  #offerUnwritten(exchange: Exchange, address: Ip4): Pick<Outgoing, 'reply' | 'event' | 'address'> {
    const left = exchange.addresses.secondsLeft(exchange.client, address);
    const offer = this.#offer(exchange, address);
    if (left >= LEAST_SECONDS_LEFT && offer.reply) return { ...offer, reply: shortenGrant(offer.reply, left) };
    exchange.addresses.withdrawOffer(exchange.client);
    return { event: { kind: 'dhcp.ignored', reason: "leases can't be written" } };
  }

  #ack(
    exchange: Exchange,
    { lease, answers }: Extract<Decision, { kind: 'ack' }>,
  ): Pick<Outgoing, 'reply' | 'event' | 'address' | 'lease' | 'isWritten'> {
    const boot = this.#bootOffer(exchange);
    const { address, name } = lease;
    const { expires } = factOf(lease);
    const grant = { address, name, boot };
    return {
      address,
      lease,
      isWritten: true,
      reply: replyTo(answers, exchange, grant),
      event: {
        kind: 'dhcp.ack',
        ...(expires === undefined ? {} : { expires }),
        ...(name === undefined ? {} : { name }),
        ...bootFileOf(boot),
      },
    };
  }

  #decline({
    address,
    disbelief: reason,
  }: Extract<Decision, { kind: 'declined' }>): Pick<Outgoing, 'event' | 'address' | 'ended' | 'isWritten'> {
    if (reason !== undefined) this.#tally.add('refused.decline-limit');
    return { ...ending(address, true), event: { kind: 'dhcp.decline', ...(reason === undefined ? {} : { reason }) } };
  }

  #inform(exchange: Exchange, address: Ip4): Pick<Outgoing, 'reply' | 'event' | 'address'> {
    const boot = this.#bootOffer(exchange);
    const name = exchange.addresses.nameFor(exchange.client);
    return {
      address,
      reply: informReply(exchange, { address, name, boot }),
      event: { kind: 'dhcp.inform', ...bootFileOf(boot) },
    };
  }

  #exhausted(base: Pick<Outgoing, 'exchange' | 'listener'>): Outgoing | undefined {
    this.#tally.add('refused.exhausted');
    const subnet = formatCidr(base.exchange.served.subnet.cidr);
    if (this.#full.has(subnet)) return undefined;
    this.#full.add(subnet);
    return { ...base, event: { kind: 'dhcp.exhausted', subnet } };
  }

  /** Sends a reply and tells what happened: the lease it promises is on disk. */
  #finish(outgoing: Outgoing): void {
    const { exchange, listener, reply, event, lease, ended, address } = outgoing;
    if (reply) this.#send(reply, exchange, listener);
    this.#emit(exchange, event, address);
    if (lease) this.#dependencies.events.leaseBound(factOf(lease, isHostBySign(exchange)));
    if (ended !== undefined) this.#leaseEnded(ended);
  }

  #send(reply: DhcpReply, exchange: Exchange, { handle, socket }: Listener): void {
    const isWhole = this.#sender.send(reply, exchange, { handle, socket, link: this.#listeners.link });
    this.#tally.add(reply.answers === 'bootp' ? 'sent.bootp' : `sent.${messageTypeName(reply.type).toLowerCase()}`);
    if (!isWhole) this.#tally.add('sent.cut-short');
  }

  #revoke(addresses: Addresses, of: Ip4 | { readonly mac: string }): LeaseAnswer {
    const isMeant = ({ address, mac }: Lease): boolean =>
      typeof of === 'number' ? address === of : formatMac(mac) === of.mac;
    const leases = addresses.held().filter(isMeant);
    for (const lease of leases) addresses.revoke(lease);
    if (!this.#commit()) return this.#unwritten();
    for (const { address, mac } of leases) {
      this.#leaseEnded(address);
      const subject = { mac: formatMac(mac), address: formatIp4(address) };
      this.#dependencies.events.emit({ kind: 'dhcp.revoked' }, subject);
    }
    return { done: leases.map((lease) => factOf(lease)), refused: [] };
  }

  #import(addresses: Addresses, wishes: readonly LeaseWish[]): LeaseAnswer {
    const { taken, refused } = importLeases(addresses, wishes, this.#clock.now() / 1000);
    if (!this.#commit()) return this.#unwritten();
    const done = taken.map((lease) => factOf(lease, addresses.isHostsBySign(lease)));
    for (const fact of done) this.#dependencies.events.leaseBound(fact);
    this.#dependencies.events.emit({ kind: 'dhcp.imported', taken: taken.length, refused: refused.length });
    return { done, refused };
  }

  #unwritten(): LeaseAnswer {
    return { done: [], refused: [], fault: `leases can't be written: ${this.#storeFault ?? ''}` };
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.#dependencies.loop.after(SWEEP_MILLISECONDS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    this.#followClock();
    if (this.#storeFault !== undefined) this.#retryStore();
    for (const lease of this.#addresses?.sweep() ?? []) {
      // Told when the client gave it back
      if (lease.released) continue;
      this.#leaseEnded(lease.address);
      this.#tally.add('expired');
      const subject = { mac: formatMac(lease.mac), address: formatIp4(lease.address) };
      this.#dependencies.events.emit({ kind: 'dhcp.expired' }, subject);
    }
  }

  /** An address came free: its subnet may be told full once more. */
  #leaseEnded(address: Ip4): void {
    this.#dependencies.events.leaseEnded(address);
    const served = this.#addresses?.served.find(({ subnet }) => cidrContains(subnet.cidr, address));
    if (served) this.#full.delete(formatCidr(served.subnet.cidr));
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
    const mac = formatMac(client.mac);
    this.#dependencies.events.emit(event, address === undefined ? { mac } : { mac, address: formatIp4(address) });
  }

  #refuse(counter: string, reason: string, sender: Sender): undefined {
    this.#refusals.refuse(counter, reason, sender);
  }
}

function replyTo(
  answers: 'bootp' | 'rapid-commit' | undefined,
  exchange: Exchange,
  grant: Omit<Grant, 'type'>,
): DhcpReply {
  if (answers === 'bootp') return bootpReply(exchange, grant);
  const reply = grantReply(exchange, { ...grant, type: MessageType.ack });
  return answers === 'rapid-commit' ? withRapidCommit(reply) : reply;
}

function ending(address: Ip4, ends: boolean): Pick<Outgoing, 'isWritten' | 'address' | 'ended'> {
  return { isWritten: true, address, ...(ends ? { ended: address } : {}) };
}

function bootFileOf(boot: BootOffer): { bootFile?: string } {
  return boot.bootFile === undefined ? {} : { bootFile: boot.bootFile };
}

function withKey(client: Client, { subnet }: ServedSubnet): Client {
  const key = clientKey(client, subnet);
  return key === client.key ? client : { ...client, key };
}

/** What a relay says; a client's own word about its link counts for nothing. */
function readRelay({ giaddr, options }: DhcpPacket): RelayAgentInfo | undefined {
  return giaddr === UNSPECIFIED ? undefined : decodeRelayAgent(options.get(OptionCode.relayAgent));
}

function isHostBySign({ client, addresses }: Exchange): boolean {
  const host = addresses.host(client);
  return host !== undefined && !host.macs.includes(client.mac);
}

/** A kept address belongs to its machine on or off: its name stays. So does the one of a BOOTP client. */
function factOf({ address, mac, name, expires, kept }: Lease, isHost = false): LeaseFact {
  return {
    address,
    mac: formatMac(mac),
    ...(name === undefined ? {} : { name }),
    ...(kept || isEndless(expires) ? {} : { expires }),
    ...(isHost ? { host: true } : {}),
  };
}
