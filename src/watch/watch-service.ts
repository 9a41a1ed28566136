import { cidrsOverlap, type Cidr } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { BROADCAST_MAC, formatMac, type Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import { EventBudget } from '../service/event-budget.ts';
import { LeaseTable } from '../service/lease-table.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { Tally } from '../service/tally.ts';
import type { ConflictFact, Sighting, WatchAnswer, WatchOrder } from '../service/watch-letters.ts';
import type { FrameLink } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import { ARP_REPLY, ARP_SIZE, arpProbe, decodeArp, encodeArp, type ArpPacket } from '../wire/arp/packet.ts';
import { decodeEthernet, encodeEthernet, ETHERTYPE_ARP, type EthernetFrame } from '../wire/ethernet/frame.ts';
import { WireError } from '../wire/wire-error.ts';
import { ConflictBook } from './conflict-book.ts';
import { readServerWord } from './dhcp-message.ts';
import { DhcpServers, type Acquaintances } from './dhcp-servers.ts';
import { DhcpProbe } from './dhcp-probe.ts';
import { Judge, type Ground } from './judge.ts';
import { NeighbourKeeper, type NeighbourStore } from './neighbour-keeper.ts';
import { factOf, NeighbourTable, type Neighbour, type Seen } from './neighbour-table.ts';
import { Questions, type Settled } from './questions.ts';
import { Scan, type ScanTarget } from './scan.ts';
import { Taps, type Tap, type TapsDependencies } from './taps.ts';

/** As often a pair that stays is told of, and its address told to the DHCP service. */
const REFRESH_MILLISECONDS = 600_000;
/** A machine that was seen within this time counts as being there. */
const LATELY_MILLISECONDS = 600_000;
/** What looks wrong may be a lease whose letter is on its way. */
const GRACE_MILLISECONDS = 2_000;
const RECHECK_MILLISECONDS = 30_000;
/** What is known of is looked through for what a new Plan, or an ended lease, made wrong. */
const REVIEW_MILLISECONDS = 60_000;
/** Leases are told by the DHCP service, which may start later than this one. */
const FIRST_REVIEW_MILLISECONDS = 5_000;
const SWEEP_MILLISECONDS = 5_000;
/** Without a probe, or one that is asked seldom, a server is over after this. */
const SILENCE_MILLISECONDS = 1_500_000;
/** A probe or two may be lost. */
const SILENT_PROBES = 2.5;
/** A rack that powers up, and what changes in one; a machine that answers in ever new names is no news. */
const PROVED = { burst: 5_000, perSecond: 1 };
/** Of pairs that can't be asked for, being in a VLAN or of another network: they can be made up. */
const UNPROVABLE = { burst: 200, perSecond: 1 };
/** Scans that run or wait. */
const MOST_SCANS = 4;

export interface WatchDependencies extends ServiceContext, TapsDependencies {
  /** Where neighbours outlive the process, by the first Plan; throws where that can't be just now. */
  readonly openStore: (plan: Plan) => NeighbourStore;
  /** 0 to 1. */
  readonly random: () => number;
  /** Of all interfaces of this machine. */
  readonly ownMacs: () => Iterable<Mac>;
}

/** Sees who is on the wires of local subnets: who has which address, who should not have it, and which DHCP servers there are. */
export class WatchService implements Service {
  readonly #dependencies: WatchDependencies;
  readonly #tally = new Tally('received.arp', 'received.dhcp', 'refused.bad-packet', 'lost.send');
  /** Does not jump, so that nobody is gone, nor a lease over, by a clock that is set. */
  readonly #clock: SteadyClock;
  readonly #table = new NeighbourTable((neighbour) => this.#keeper?.gone(neighbour));
  readonly #leases: LeaseTable;
  readonly #taps: Taps;
  readonly #questions: Questions;
  readonly #scan: Scan;
  readonly #conflicts: ConflictBook;
  readonly #servers: DhcpServers;
  readonly #probe: DhcpProbe;
  readonly #unprovable: EventBudget;
  readonly #proved: EventBudget;
  readonly #frame = new Uint8Array(14 + ARP_SIZE);
  readonly #ground: Ground;
  readonly #timers = new Map<string, Timer>();
  #keeper: NeighbourKeeper | undefined;
  #judge = new Judge({ subnets: [], hosts: [] });
  #plan: Plan | undefined;
  /** Addresses that may speak as a DHCP server. */
  #acquaintances: ReadonlySet<Ip4> = new Set();
  #ours: ReadonlySet<Mac> = new Set();
  #sightings: Sighting[] = [];
  #scanSeconds: number | undefined;
  /** Interfaces it was told of that they are not seen. */
  #blind = '';

  constructor(dependencies: WatchDependencies) {
    const { clock, loop, events, random } = dependencies;
    this.#dependencies = dependencies;
    this.#clock = new SteadyClock(clock);
    this.#leases = new LeaseTable(this.#clock);
    this.#unprovable = new EventBudget(clock, UNPROVABLE);
    this.#proved = new EventBudget(clock, PROVED);
    this.#conflicts = new ConflictBook(clock, events);
    this.#servers = new DhcpServers(clock, events);
    this.#taps = new Taps(
      dependencies,
      (tap, frame, tag) => this.#hear(tap, frame, tag),
      () => this.#finish(),
    );
    this.#questions = new Questions({
      clock,
      loop,
      probe: (device, address) => this.#sendProbe(device, address),
      lost: () => this.#taps.dropped,
      flush: () => this.#flush(),
      settled: (question) => this.#settle(question),
    });
    this.#scan = new Scan({
      loop,
      // The Plan may be another by now
      ask: (device, address) =>
        this.#judge.subnetOf(device, address) !== undefined && this.#questions.ask(device, address),
      flush: () => this.#flush(),
    });
    this.#probe = new DhcpProbe({ loop, random, send: (frame, device) => this.#sendFrame(frame, device) });
    this.#ground = {
      lease: (address) => this.#leases.holder(address),
      isOurs: (mac) => this.#ours.has(mac),
      spread: (mac) => this.#table.spreadOf(mac),
      wasSeen: () => false,
      isAlone: () => false,
    };
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    const { openStore, events } = this.#dependencies;
    const isFirst = this.#plan === undefined;
    this.#plan = plan;
    this.#judge = new Judge(plan.watch ? plan : { subnets: [], hosts: [] });
    this.#taps.apply(sockets);
    this.#acquaintances = acquaintancesOf(plan);
    this.#table.retain(this.#judge.devices);
    if (isFirst) {
      this.#keeper = new NeighbourKeeper(() => openStore(plan), { clock: this.#clock, events, table: this.#table });
      this.#every('sweep', SWEEP_MILLISECONDS, () => this.#sweep());
      this.#every('recheck', RECHECK_MILLISECONDS, () => this.#recheck());
      this.#every('review', REVIEW_MILLISECONDS, () => this.#review());
    }
    this.#keeper?.watch(this.#judge.devices);
    this.#later('first review', FIRST_REVIEW_MILLISECONDS, () => this.#review());
    this.#lookAtCards();
    this.#probe.apply(plan.watch?.dhcpProbe, () => this.#probedCards());
    this.#planScans(plan);
    this.#tellBlind();
    this.#sweepServers();
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#leases.learn(bound, ended);
    if (this.#conflicts.size === 0) return;
    const changed = new Set([...ended, ...bound.map(({ address }) => address)]);
    for (const conflict of this.#conflicts.all()) if (changed.has(conflict.address)) this.#judgeAgain(conflict);
  }

  showNeighbours(order: WatchOrder, answer: (answer: WatchAnswer) => void): void {
    if (order.kind === 'list') return answer(this.#show());
    const targets = this.#targets(order.subnet);
    if (targets.length === 0)
      return answer({ ...this.#show(), fault: 'no subnet of this rack on a wire here is in it' });
    if (this.#scan.pending >= MOST_SCANS) return answer({ ...this.#show(), fault: 'scans enough wait already' });
    this.#startScan(targets, (scan) => answer({ ...this.#show(), scan }));
  }

  counters(): Counters {
    return {
      ...this.#tally.read(),
      'lost.kernel': this.#taps.dropped,
      neighbours: this.#table.known,
      strangers: this.#table.strangers,
      evicted: this.#table.evicted,
      asked: this.#questions.asked,
      conflicts: this.#conflicts.size,
      'conflicts.unwritten': this.#conflicts.unwritten,
      'dhcp-servers': this.#servers.size,
      'events.unprovable-dropped': this.#unprovable.dropped,
      'events.proved-dropped': this.#proved.dropped,
    };
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#probe.close();
    this.#scan.close();
    this.#questions.close();
    this.#taps.close();
    this.#keeper?.close();
  }

  #hear(tap: Tap, bytes: Uint8Array, tag: number): void {
    try {
      const frame = decodeEthernet(bytes, tag);
      if (tap.kind === 'arp-tap') this.#hearArp(tap, frame);
      else this.#hearDhcp(tap, frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#tally.add('refused.bad-packet');
    }
  }

  /** After the frames of one look: what came of them leaves. */
  #finish(): void {
    this.#flush();
    if (this.#sightings.length === 0) return;
    if (this.#plan?.watch?.avoidsUsed) this.#dependencies.sightings?.tell(this.#sightings);
    this.#sightings = [];
  }

  #hearArp({ device, link }: Tap, { vlan, innerVlan, payload }: EthernetFrame): void {
    this.#tally.add('received.arp');
    const arp = decodeArp(payload);
    const { sender: address, senderMac: mac } = arp;
    // RFC 5227 §2.1.1: who only asks whether an address is free has none yet
    if (address === UNSPECIFIED) return this.#tally.add('received.arp-probe');
    if (!isMachine(mac) || !isUnicast(address)) return this.#tally.add('refused.sender');
    if (this.#ours.has(mac)) return;
    const seen = this.#table.see(device, { vlan, innerVlan }, { address, mac }, this.#now());
    if (typeof seen === 'string') return this.#tally.add(`refused.${seen}`);
    if (!seen.neighbour.place.isOwn) return this.#tellUnprovable(seen);
    const heard = isReplyTo(arp, link) ? this.#questions.hear(device, address, mac) : 'unasked';
    if (heard === 'answer') return this.#answered(seen.neighbour);
    if (heard !== 'unasked') return this.#tally.add(`refused.${heard === 'again' ? 'repeated' : 'answers'}`);
    if (this.#judge.vouches(mac, address, this.#ground)) this.#prove(seen.neighbour);
    if (seen.neighbour.isKnown) return this.#seenAgain(seen);
    if (!this.#judge.subnetOf(device, address)) return this.#tellUnprovable(seen);
    if (!this.#questions.wonder(device, address)) this.#tally.add('unasked');
  }

  #prove(neighbour: Neighbour): void {
    const { mac, address } = neighbour;
    this.#table.prove(neighbour, this.#judge.vouches(mac, address, this.#ground), this.#now());
  }

  /** It says itself, when asked, that the address is its own. */
  #answered(neighbour: Neighbour): void {
    const { place, address, mac } = neighbour;
    this.#scan.hear(place.device, address);
    this.#prove(neighbour);
    this.#tellNew(neighbour);
    if (!this.#isWrong(neighbour)) return;
    if (this.#judge.isLent(place.device, address)) this.#sightings.push({ address, mac });
    this.#later(`grace ${mac} ${address} ${place.device}`, GRACE_MILLISECONDS, () => this.#holdIfWrong(neighbour));
  }

  #seenAgain({ neighbour, before }: Seen): void {
    const { place, address } = neighbour;
    this.#tellNew(neighbour);
    // Each of two that are known may be the only one by now, or both are there
    if (before?.isKnown || neighbour.toldAt === undefined) this.#questions.wonder(place.device, address);
  }

  /** A question is over: who answered, and who did not, is known. */
  #settle(question: Settled): void {
    const { device, address, answers, isDoubtful } = question;
    for (const conflict of this.#conflicts.at(device, address)) this.#weigh(conflict, question);
    const ground = this.#groundOf(device);
    const [first, ...others] = answers.filter((mac) => !this.#judge.isProxy(device, mac, ground));
    if (first === undefined) return;
    const other = others.find((mac) => !this.#judge.isOneHost(first, mac));
    if (other === undefined) return isDoubtful ? undefined : this.#tellMoved(device, address, answers);
    const many = [first, other].find((mac) => this.#judge.answersForMany(mac, ground));
    if (many === undefined) this.#holdTwo(device, address, first, other);
    else this.#conflicts.hold(device, many, address, { kind: 'many-addresses' });
  }

  /** Evidence for or against a conflict that is known of. */
  #weigh(conflict: ConflictFact, { answers, isDoubtful }: Settled): void {
    const { mac, grievance } = conflict;
    const isShared = answers.length > 1;
    const isThere = answers.includes(mac) && (grievance.kind !== 'two-machines' || isShared);
    if (!isThere && !isDoubtful) this.#conflicts.miss(conflict);
    if (!isThere) return;
    const isStill = isShared && (grievance.kind === 'two-machines' || this.#isInTheWay(conflict));
    if (isStill) this.#conflicts.hold(conflict.interface, mac, conflict.address, grievance);
    else this.#judgeAgain(conflict);
  }

  #isInTheWay({ interface: device, mac, grievance }: ConflictFact): boolean {
    if (grievance.kind !== 'many-addresses') return false;
    return this.#judge.answersForMany(mac, this.#ground) && !this.#judge.isProxy(device, mac, this.#groundOf(device));
  }

  /** What is wrong with one of them is the conflict, if it is more than that there are two. */
  #holdTwo(device: string, address: Ip4, first: Mac, other: Mac): void {
    const isWrong = (mac: Mac): boolean =>
      this.#judge.judge(device, mac, address, this.#groundOf(device)) !== undefined;
    if (isWrong(first) || isWrong(other)) return;
    const isTold = this.#conflicts.at(device, address).some(({ grievance }) => grievance.kind === 'two-machines');
    if (!isTold) this.#conflicts.hold(device, other, address, { kind: 'two-machines', other: first });
  }

  #holdIfWrong(neighbour: Neighbour): void {
    const { place, mac, address } = neighbour;
    const grievance = this.#judge.judge(place.device, mac, address, this.#groundOf(place.device));
    if (grievance) this.#conflicts.hold(place.device, mac, address, grievance);
  }

  /** Leases and the Plan may have made it right, or wrong in another way. */
  #judgeAgain(conflict: ConflictFact): void {
    const { interface: device, mac, address } = conflict;
    if (conflict.grievance.kind === 'two-machines') return;
    const grievance = this.#judge.judge(device, mac, address, this.#groundOf(device));
    if (grievance?.kind !== conflict.grievance.kind) this.#conflicts.end(conflict);
    if (grievance) this.#conflicts.hold(device, mac, address, grievance);
  }

  #isWrong({ place, mac, address }: Neighbour): boolean {
    return this.#judge.judge(place.device, mac, address, this.#groundOf(place.device)) !== undefined;
  }

  #groundOf(device: string): Ground {
    const since = this.#now() - LATELY_MILLISECONDS;
    const wasSeen = (mac: Mac, address: Ip4): boolean =>
      this.#table.holders(device, address).some((each) => each.mac === mac && each.isKnown && each.lastSeen >= since);
    const isAlone = (mac: Mac, address: Ip4): boolean => {
      const known = this.#table.holders(device, address).filter(({ isKnown }) => isKnown);
      return known.length === 1 && known[0]?.mac === mac;
    };
    return { ...this.#ground, wasSeen, isAlone };
  }

  /** Each conflict is looked at again: it may be over. */
  #recheck(): void {
    for (const conflict of this.#conflicts.all()) {
      const { interface: device, address } = conflict;
      if (!this.#judge.subnetOf(device, address)) this.#conflicts.end(conflict);
      // They are few: whatever else is to be asked, these are
      else if (!this.#questions.ask(device, address)) this.#tally.add('unasked');
    }
    this.#finish();
  }

  /** Asks those who have no right to their address, as far as is known, whether they are still there. */
  #review(): void {
    this.#lookForRouters();
    for (const neighbour of this.#table.all()) {
      const { place, mac, address } = neighbour;
      if (!place.isOwn || this.#judge.vouches(mac, address, this.#ground) || !this.#isWrong(neighbour)) continue;
      if (!this.#questions.wonder(place.device, address)) break;
    }
    this.#finish();
  }

  /** Who the router is is to be known before it answers for others. */
  #lookForRouters(): void {
    for (const device of this.#judge.devices) {
      for (const { router } of this.#judge.subnetsOf(device))
        if (router !== undefined && !this.#table.holders(device, router).some(({ isKnown }) => isKnown))
          this.#questions.wonder(device, router);
    }
  }

  /** Told once; of one whose address was another's, when it is known that that one is not there any more. */
  #tellNew(neighbour: Neighbour): void {
    if (!neighbour.isKnown) return this.#tally.add('refused.full');
    const now = this.#now();
    const { toldAt, place, address } = neighbour;
    const others = this.#table.holders(place.device, address).filter((each) => each !== neighbour && each.isKnown);
    if (toldAt === undefined && others.length > 0) return;
    if (toldAt !== undefined && now - toldAt < REFRESH_MILLISECONDS) return;
    neighbour.toldAt = now;
    this.#keeper?.changed(neighbour);
    if (toldAt !== undefined) this.#emit(neighbour, { kind: 'neighbour.refreshed' });
    else if (this.#proved.take()) this.#emit(neighbour, { kind: 'neighbour.new' });
  }

  #tellMoved(device: string, address: Ip4, answers: readonly Mac[]): void {
    const holders = this.#table.holders(device, address);
    const neighbour = holders.find(({ mac }) => answers.includes(mac));
    const before = holders.findLast(({ mac, isKnown }) => isKnown && !answers.includes(mac));
    if (!neighbour || !before) return;
    // It is there no more, and would be the one before for ever
    this.#table.forget(before);
    neighbour.toldAt = this.#now();
    this.#keeper?.changed(neighbour);
    if (this.#proved.take()) this.#emit(neighbour, { kind: 'neighbour.moved', from: formatMac(before.mac) });
  }

  /** Nobody can be asked there: told as far as it can't be a flood. */
  #tellUnprovable(seen: Seen): void {
    const { neighbour } = seen;
    if (neighbour.toldAt !== undefined || !this.#unprovable.take()) return;
    neighbour.toldAt = this.#now();
    const { before } = seen;
    const isMove = before?.toldAt !== undefined;
    this.#emit(
      neighbour,
      isMove ? { kind: 'neighbour.moved', from: formatMac(before.mac) } : { kind: 'neighbour.new' },
    );
  }

  #emit(
    { place: { device, vlan, innerVlan }, mac, address }: Neighbour,
    body: { kind: 'neighbour.new' | 'neighbour.refreshed' } | { kind: 'neighbour.moved'; from: string },
  ): void {
    const where = {
      interface: device,
      ...(vlan !== 0 && { vlan: innerVlan === 0 ? `${vlan}` : `${vlan}.${innerVlan}` }),
    };
    this.#dependencies.events.emit({ ...body, ...where }, { mac: formatMac(mac), address: formatIp4(address) });
  }

  #hearDhcp({ device }: Tap, frame: EthernetFrame): void {
    this.#tally.add('received.dhcp');
    // What is said in a VLAN is none of this wire's
    const word = frame.vlan === 0 ? readServerWord(frame) : undefined;
    if (!word || !this.#mindsServers(device)) return;
    if (this.#servers.hear(device, word, this.#acquaintance())) this.#tally.add('dhcp.strange');
  }

  #acquaintance(): Acquaintances {
    const { isOurs } = this.#ground;
    return { addresses: this.#acquaintances, isOurs, probe: this.#plan?.watch?.dhcpProbe?.mac };
  }

  /** Where others give the addresses a server is no surprise, unless the file says which ones there are. */
  #mindsServers(device: string): boolean {
    const isShared = this.#judge.subnetsOf(device).some(({ management }) => management === 'proxy');
    return !isShared || (this.#plan?.watch?.dhcpServers.length ?? 0) > 0;
  }

  #probedCards(): { readonly device: string; readonly card: Mac }[] {
    const devices = [...this.#judge.devices].filter((device) => this.#mindsServers(device));
    return devices.flatMap((device) => {
      const card = this.#taps.of(device, 'dhcp-tap')?.mac;
      return card === undefined ? [] : [{ device, card }];
    });
  }

  #sendFrame(frame: Uint8Array, device: string): void {
    this.#taps.of(device, 'dhcp-tap')?.send(frame);
    this.#flush();
  }

  #sendProbe(device: string, address: Ip4): boolean {
    const link = this.#taps.of(device, 'arp-tap');
    const mac = link?.mac;
    if (!link || mac === undefined) return false;
    encodeEthernet(this.#frame, { destination: BROADCAST_MAC, source: mac, type: ETHERTYPE_ARP });
    encodeArp(this.#frame.subarray(14), arpProbe(mac, address));
    link.send(this.#frame);
    return true;
  }

  #flush(): void {
    this.#tally.add('lost.send', this.#taps.flush());
  }

  #show(): WatchAnswer {
    const neighbours = Array.from(this.#table.all('all'), factOf);
    return { neighbours, conflicts: this.#conflicts.all(), servers: this.#servers.all() };
  }

  /** A Plan that scans as before leaves the time of the next one as it is: some come more often than that. */
  #planScans({ watch }: Plan): void {
    if (watch?.scanSeconds === this.#scanSeconds) return;
    this.#scanSeconds = watch?.scanSeconds;
    this.#cancel('scan');
    this.#waitForScan();
  }

  /** Of many racks that were switched on together not all scan at once. */
  #waitForScan(): void {
    if (this.#scanSeconds === undefined) return;
    this.#later('scan', this.#scanSeconds * 1000 * (0.5 + this.#dependencies.random()), () => {
      if (this.#scan.pending === 0) this.#startScan(this.#targets(), () => undefined);
      this.#waitForScan();
    });
  }

  #startScan(targets: readonly ScanTarget[], done: (scan: { asked: number; answered: number }) => void): void {
    this.#scan.start(targets, (scan) => {
      this.#dependencies.events.emit({ kind: 'watch.scanned', ...scan });
      done(scan);
    });
  }

  /** The networks on our wires, as far as they are in `subnet`. */
  #targets(subnet?: Cidr): ScanTarget[] {
    const all = [...this.#judge.devices].flatMap((device) =>
      this.#judge.subnetsOf(device).map(({ cidr }) => ({ device, cidr })),
    );
    if (!subnet) return all;
    const inside = all.filter(({ cidr }) => cidrsOverlap(cidr, subnet));
    return inside.map(({ device, cidr }) => ({ device, cidr: cidr.prefix >= subnet.prefix ? cidr : subnet }));
  }

  /** A card may get another address, or an interface be made anew; and any of our cards may answer for our addresses (Linux, arp_ignore 0). */
  #lookAtCards(): void {
    const tapped = Array.from(this.#taps.links(), ({ mac }) => mac).filter((mac) => mac !== undefined);
    this.#ours = new Set([...tapped, ...this.#dependencies.ownMacs()]);
  }

  #sweep(): void {
    this.#followClock();
    this.#lookAtCards();
    this.#sweepServers();
    this.#keeper?.tick();
  }

  /** What is on disk by the clock before is written anew. */
  #followClock(): void {
    const seconds = this.#clock.follow();
    if (seconds === 0) return;
    this.#table.shift(seconds * 1000);
    for (const neighbour of this.#table.all()) this.#keeper?.changed(neighbour);
  }

  #sweepServers(): void {
    const probe = this.#plan?.watch?.dhcpProbe;
    const silence = probe ? probe.seconds * 1000 * SILENT_PROBES : SILENCE_MILLISECONDS;
    this.#servers.sweep(
      silence,
      (device, server) =>
        !this.#acquaintances.has(server) && this.#judge.devices.has(device) && this.#mindsServers(device),
    );
  }

  /** Without raw sockets nothing is seen: said once. */
  #tellBlind(): void {
    const interfaces = [...this.#judge.devices].filter((device) => !this.#taps.of(device, 'arp-tap'));
    const blind = interfaces.join(' ');
    if (blind === this.#blind) return;
    this.#blind = blind;
    this.#dependencies.events.emit(blind === '' ? { kind: 'watch.sees' } : { kind: 'watch.blind', interfaces });
  }

  #every(name: string, milliseconds: number, work: () => void): void {
    this.#later(name, milliseconds, () => {
      this.#every(name, milliseconds, work);
      work();
    });
  }

  /** Whole milliseconds. */
  #now(): number {
    return Math.round(this.#clock.now());
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  /** One of each name at a time: the first one stands. */
  #later(name: string, milliseconds: number, work: () => void): void {
    if (this.#timers.has(name)) return;
    const timer = this.#dependencies.loop.after(milliseconds, () => {
      this.#timers.delete(name);
      work();
    });
    this.#timers.set(name, timer);
  }
}

/** Our own addresses, and those that the file says are known. */
function acquaintancesOf({ subnets, watch }: Plan): Set<Ip4> {
  const ours = subnets.map(({ rackAddress }) => rackAddress).filter((address) => address !== undefined);
  return new Set([...ours, ...(watch?.dhcpServers ?? [])]);
}

/** To ask for the card's MAC is a system call, which a flood of requests is to be spared. */
function isReplyTo({ operation, targetMac }: ArpPacket, card: Pick<FrameLink, 'mac'>): boolean {
  return operation === ARP_REPLY && targetMac === card.mac;
}

/** Neither 0 nor a group address. */
function isMachine(mac: Mac): boolean {
  return mac !== 0 && Math.floor(mac / 2 ** 40) % 2 === 0;
}

/** Not of this host, nor a group or what is reserved (RFC 6890). */
function isUnicast(address: Ip4): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
