import { cidrContains, formatCidr } from '../addr/cidr.ts';
import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { formatRange } from '../addr/range.ts';
import { isNetbootClient } from '../boot/firmware.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseAnswer, LeaseOrder, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import type { Sighting } from '../service/watch-letters.ts';
import { Tally } from '../service/tally.ts';
import { INBOX, type Inbound } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import type { EventBody } from '../timeline/event.ts';
import type { Addresses } from './addresses.ts';
import type { ArpLinksDependencies } from './arp-links.ts';
import { ConflictCheck, type Arrival } from './conflict-check.ts';
import { discovered, requested } from './asked-event.ts';
import { RECEIVED, sentCounter } from './counters.ts';
import { askedOf, whyNotAsked, type Asked } from './asked.ts';
import { decide } from './decide.ts';
import type { Decision, Exchange } from './exchange.ts';
import { Intake } from './intake.ts';
import { LeaseCommits } from './lease-commits.ts';
import { factOf, isHostBySign } from './lease-fact.ts';
import type { LeaseNews } from './lease-news.ts';
import { obeyLeaseOrder } from './lease-orders.ts';
import { Listeners, type Listener, type ListenersDependencies } from './listeners.ts';
import { openAddresses } from './open-addresses.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { readPlan, type PlanReading } from './plan-reading.ts';
import { isProxied, Proxy } from './proxy.ts';
import type { DhcpReply } from './reply.ts';
import { ReplySender } from './reply-sender.ts';
import { SeldomTold } from './seldom-told.ts';
import { shortenGrant } from './shorten-grant.ts';

const SWEEP_MILLISECONDS = 1_000;
/**
 * So many packets at once mean that they come faster than a disk syncs: then the next ones are let gather, as one
 * sync for twenty leases costs what one for two does. Nobody waits longer than that for it.
 */
const BUSY_PACKETS = 8;
const GATHER_MILLISECONDS = 1;
/** Of a lease that can't be prolonged, less than this is not worth a reply: the client asks again at once. */
const LEAST_SECONDS_LEFT = 60;

export interface DhcpDependencies extends ServiceContext, ListenersDependencies, ArpLinksDependencies {
  readonly events: LeaseNews;
  /** Called with the first Plan: where it keeps its state. */
  readonly openBook: (plan: Plan) => LeaseBook;
  /** Lets the thread sleep so long before it looks at its sockets again. */
  readonly rest: (milliseconds: number) => void;
}

/** What the first Plan opened and every Plan changes. */
interface Ground extends PlanReading {
  readonly book: LeaseBook;
  readonly addresses: Addresses;
  readonly conflicts: ConflictCheck;
}

/** An outcome that waits for the batch to be on disk. */
interface Outgoing extends Outcome {
  readonly exchange: Exchange;
  readonly listener: Listener;
}

/** Gives addresses (RFC 2131). Works in batches: receive, decide, write all leases in one commit, then reply. */
export class DhcpService implements Service {
  readonly #dependencies: DhcpDependencies;
  readonly #tally = new Tally('received', 'lost.send');
  readonly #listeners: Listeners;
  readonly #intake: Intake;
  readonly #conflicts: ConflictCheck;
  readonly #sender = new ReplySender();
  readonly #proxy: Proxy;
  #ground: Ground | undefined;
  #sweepTimer: Timer | undefined;
  /** Leases end by it: a wall clock that is set ends none. */
  readonly #clock: SteadyClock;
  readonly #commits: LeaseCommits;
  /** Subnets whose range was found full: told once, until something in them came free. */
  readonly #full = new Set<string>();
  readonly #turnedAway: SeldomTold<Mac>;

  constructor(dependencies: DhcpDependencies) {
    const { clock, events } = dependencies;
    this.#dependencies = dependencies;
    this.#clock = new SteadyClock(clock);
    this.#turnedAway = new SeldomTold(clock);
    this.#intake = new Intake({ tally: this.#tally, events, clock });
    this.#proxy = new Proxy({ tally: this.#tally, events, clock: this.#clock });
    this.#commits = new LeaseCommits({ tally: this.#tally, events });
    const serve = (parked: readonly Arrival[]): void => this.#serveAgain(parked);
    this.#conflicts = new ConflictCheck({ ...dependencies, tally: this.#tally, serve });
    this.#listeners = new Listeners(dependencies, (listener) => this.#serveBatch(listener));
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    const before = this.#ground;
    if (before) {
      this.#ground = { ...before, ...readPlan(plan) };
      for (const { address } of before.addresses.apply(plan)) this.#dependencies.events.leaseEnded(address);
    } else {
      this.#ground = this.#open(plan);
    }
    this.#proxy.apply(plan);
    this.#full.clear();
    this.#listeners.apply(sockets);
    this.#conflicts.apply(plan, sockets);
  }

  obey(order: LeaseOrder): LeaseAnswer {
    const ground = this.#ground;
    if (!ground) return { done: [], refused: [], fault: 'the leases are not read yet' };
    this.#followClock(ground);
    return obeyLeaseOrder(order, {
      addresses: ground.addresses,
      events: this.#dependencies.events,
      leaseEnded: (address) => this.#leaseEnded(address),
      now: this.#clock.now() / 1000,
      commit: () => (this.#commits.commit(ground.addresses) ? undefined : (this.#commits.fault ?? '')),
    });
  }

  /** Addresses in use on the wire: who waits for one of them gets another, and nobody is offered it who does not use it. */
  learnSightings(sightings: readonly Sighting[]): void {
    for (const { address, mac } of sightings) {
      this.#conflicts.seen(address, mac);
      if (this.#ground?.addresses.avoid(address, mac)) this.#tally.add('avoided');
    }
  }

  counters(): Counters {
    return { ...this.#tally.read(), leases: this.#ground?.book.size ?? 0 };
  }

  close(): void {
    this.#sweepTimer?.cancel();
    this.#conflicts.close();
    this.#listeners.close();
    this.#ground?.book.close();
  }

  /** Tells every lease, ended ones too: after a failure of this thread the rack knows some that ran out meanwhile. */
  #open(plan: Plan): Ground {
    const { events, openBook } = this.#dependencies;
    const book = openBook(plan);
    const addresses = openAddresses(plan, book, this.#clock, (range, isCrowded) =>
      events.emit({ kind: isCrowded ? 'dhcp.range-claimed' : 'dhcp.range-believed', range: formatRange(range) }),
    );
    const leases = [...book.all()];
    for (const lease of leases) if (!addresses.isHeld(lease)) events.leaseEnded(lease.address);
    for (const lease of leases)
      if (addresses.isHeld(lease)) events.leaseBound(factOf(lease, addresses.isHostsBySign(lease)));
    if (book.fault !== undefined) this.#commits.failed(book.fault);
    this.#scheduleSweep();
    return { book, addresses, conflicts: this.#conflicts, ...readPlan(plan) };
  }

  #serveBatch(listener: Listener): void {
    const ground = this.#ground;
    if (!ground) return;
    const outgoing: Outgoing[] = [];
    this.#followClock(ground);
    this.#commits.retry(ground.book);
    const received = listener.socket.receive((datagram) => {
      const answer = this.#serve(datagram, listener, ground);
      if (answer) outgoing.push(answer);
    });
    this.#leave(outgoing, ground);
    this.#flush(listener);
    if (received >= BUSY_PACKETS && received < INBOX) this.#dependencies.rest(GATHER_MILLISECONDS);
  }

  /** Messages that waited for a probe. Counted, limited and told when they came; not yet answered. */
  #serveAgain(parked: readonly Arrival[]): void {
    const ground = this.#ground;
    if (!ground) return;
    this.#followClock(ground);
    const outgoing: Outgoing[] = [];
    // A socket that went with a reload takes its messages along
    const open = parked.filter(({ listener }) => this.#listeners.isOpen(listener));
    for (const each of open) {
      const exchange = this.#intake.readAgain(each.datagram, each.listener.handle, ground);
      const asked = exchange && askedOf(exchange.packet);
      const answer = exchange && asked && this.#answer(exchange, asked, each, ground);
      if (answer) outgoing.push(answer);
    }
    this.#leave(outgoing, ground);
    for (const listener of new Set(open.map((each) => each.listener))) this.#flush(listener);
  }

  /** One commit, then the replies. */
  #leave(outgoing: readonly Outgoing[], ground: Ground): void {
    const promised = this.#commits.commit(ground.addresses);
    for (const answer of outgoing) {
      if (promised || !answer.isWritten) this.#finish(answer);
      else this.#confirm(answer);
    }
  }

  #flush({ socket }: Listener): void {
    this.#tally.add('lost.send', socket.flush() + (this.#listeners.link?.flush() ?? 0) + this.#conflicts.flush());
  }

  #serve(datagram: Inbound, listener: Listener, ground: Ground): Outgoing | undefined {
    this.#tally.add('received');
    const exchange = this.#intake.read(datagram, listener.handle, ground);
    if (!exchange) return undefined;
    const asked = askedOf(exchange.packet);
    if (asked === undefined) return this.#refuseType(exchange, datagram);
    this.#tally.add(RECEIVED[asked]);
    this.#emitAsked(exchange, asked, listener);
    return this.#answer(exchange, asked, { datagram, listener }, ground);
  }

  #answer(exchange: Exchange, asked: Asked, arrival: Arrival, ground: Ground): Outgoing | undefined {
    if (isProxied(exchange, arrival.listener.handle.port)) return this.#answerProxied(exchange, asked, arrival, ground);
    const { on, decision } = decide(exchange, asked);
    this.#count(decision);
    if (decision.kind === 'probing') {
      this.#conflicts.park(on, decision.address, arrival);
      return undefined;
    }
    const outcome = this.#outcome(ground.plan, on, decision);
    return outcome && { ...outcome, exchange: on, listener: arrival.listener };
  }

  #answerProxied(
    exchange: Exchange,
    asked: Asked,
    { datagram, listener }: Arrival,
    { plan }: Ground,
  ): Outgoing | undefined {
    const outcome = this.#proxy.serve(plan, exchange, asked, { datagram, handle: listener.handle });
    return outcome && { ...outcome, exchange, listener };
  }

  #refuseType({ packet, client: { mac } }: Exchange, { source }: Inbound): undefined {
    return this.#intake.refuse('message-type', whyNotAsked(packet), { mac, source });
  }

  #count(decision: Decision): void {
    if (decision.kind === 'exhausted') this.#tally.add('refused.exhausted');
    if (decision.kind === 'declined' && decision.disbelief !== undefined) this.#tally.add('refused.decline-limit');
    if (decision.kind === 'silence')
      this.#tally.add(decision.ordinary ? 'passed-over' : `refused.${decision.counter ?? 'unknown'}`);
  }

  #outcome(plan: Plan, exchange: Exchange, decision: Exclude<Decision, { kind: 'probing' }>): Outcome | undefined {
    if (decision.kind === 'exhausted') return this.#exhausted(exchange, decision.reason);
    // An offer that nobody took came free without a word
    if (this.#full.size > 0 && (decision.kind === 'offer' || decision.kind === 'ack') && decision.by === 'free')
      this.#full.delete(formatCidr(exchange.served.subnet.cidr));
    const outcome = outcomeOf(plan, exchange, decision);
    if (decision.kind !== 'offer' || this.#commits.fault === undefined) return outcome;
    return offerUnwritten(exchange, decision.address, outcome);
  }

  /** The subnet is told full once, the machines it has no address for each once in a while. */
  #exhausted({ served, client }: Exchange, reason: string): Outcome | undefined {
    const subnet = formatCidr(served.subnet.cidr);
    if (this.#full.has(subnet))
      return this.#turnedAway.isDue(client.mac) ? { event: { kind: 'dhcp.ignored', reason, subnet } } : undefined;
    this.#turnedAway.isDue(client.mac);
    this.#full.add(subnet);
    return { event: { kind: 'dhcp.exhausted', subnet } };
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
      return this.#finish({ ...rest, event: UNWRITTEN });
    }
    this.#tally.add('confirmed');
    this.#finish({ ...rest, reply: shortenGrant(reply, left), event: { ...rest.event, expires: held.expires } });
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
    this.#tally.add(sentCounter(reply));
    if (!isWhole) this.#tally.add('sent.cut-short');
  }

  /** The wall clock was set: the leases are moved with it before anyone is answered by it. */
  #followClock(ground: Ground): void {
    const seconds = this.#clock.follow();
    if (seconds === 0) return;
    const { book, addresses } = ground;
    book.shift(seconds);
    this.#commits.commit(addresses);
    this.#dependencies.events.emit({ kind: 'dhcp.clock-set', seconds });
    for (const lease of book.all())
      if (addresses.isHeld(lease)) this.#dependencies.events.leaseBound(factOf(lease, addresses.isHostsBySign(lease)));
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.#dependencies.loop.after(SWEEP_MILLISECONDS, () => {
      if (this.#ground) this.#sweep(this.#ground);
      this.#scheduleSweep();
    });
  }

  #sweep(ground: Ground): void {
    this.#followClock(ground);
    this.#commits.retry(ground.book);
    for (const lease of ground.addresses.sweep()) {
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
    if (this.#full.size === 0) return;
    const served = this.#ground?.addresses.served.find(({ subnet }) => cidrContains(subnet.cidr, address));
    if (served) this.#full.delete(formatCidr(served.subnet.cidr));
  }

  /** On a proxy subnet machines that don't netboot are told of when they take an address, not each time they ask for one. */
  #emitAsked(exchange: Exchange, asked: Asked, { handle }: Listener): void {
    const { events } = this.#dependencies;
    if (isProxied(exchange, handle.port) && !(asked === 'discover' && isNetbootClient(exchange.client.boot))) return;
    if (asked === 'discover' && events.wants('dhcp.discover')) this.#emit(exchange, discovered(exchange));
    else if (asked === 'request' && events.wants('dhcp.request')) this.#emit(exchange, requested(exchange));
    else if (asked === 'bootp') this.#emit(exchange, { kind: 'dhcp.bootp' });
  }

  #emit({ client }: Exchange, event: EventBody, address?: Ip4): void {
    if (!this.#dependencies.events.wants(event.kind)) return;
    const mac = formatMac(client.mac);
    this.#dependencies.events.emit(event, address === undefined ? { mac } : { mac, address: formatIp4(address) });
  }
}

const UNWRITTEN: EventBody = { kind: 'dhcp.ignored', reason: "leases can't be written" };

/** While leases can't be written, only what the client has already can be promised. */
function offerUnwritten({ client, addresses }: Exchange, address: Ip4, offer: Outcome): Outcome {
  const left = addresses.secondsLeft(client, address);
  if (left >= LEAST_SECONDS_LEFT && offer.reply) return { ...offer, reply: shortenGrant(offer.reply, left) };
  addresses.withdrawOffer(client);
  return { event: UNWRITTEN };
}
