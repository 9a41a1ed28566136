import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import { PlanZones, type NamedLease } from './plan-zones.ts';
import { runSlices, runWhole, type Slices } from './slices.ts';
import type { ZonePublishing } from './zone-publishing.ts';
import { ZoneSet } from './zone-set.ts';

interface KnownLease {
  readonly mac: Mac;
  readonly claim: NamedLease | undefined;
  /** Whether its machine has asked us anything since it began. */
  asked: boolean;
}

/** Something that happened to a lease's wish for a name. */
interface Step {
  readonly add: boolean;
  readonly claim: NamedLease;
}

/** Leases as they were told: those that began or changed, and the addresses of those that ended. */
interface News {
  readonly bound: readonly LeaseFact[];
  readonly ended: readonly Ip4[];
}

/** The zones of a Plan that is not in force yet. */
interface Next {
  readonly zones: PlanZones;
  /** What has happened since they were begun. */
  readonly missed: Step[];
  giveUp: () => void;
}

/** Leases between two pauses: some 500 µs. */
const STRIDE = 64;

export interface RackNamesDependencies {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly publisher: ZonePublishing;
}

/** The names of this rack: what the Plan wrote down, and what the leases brought. */
export class RackNames {
  readonly #dependencies: RackNamesDependencies;
  readonly #switched: () => void;
  readonly #leases = new Map<Ip4, KnownLease>();
  #lastAge = 0;
  #current: PlanZones | undefined;
  #next: Next | undefined;
  /** What was told and is not taken in yet, in order; what is being taken in stands first. */
  readonly #news: News[] = [];
  #giveUpNews = (): void => {};
  #zones = new ZoneSet();

  /** `switched` is called when `zones` are others. */
  constructor(dependencies: RackNamesDependencies, switched: () => void = () => {}) {
    this.#dependencies = dependencies;
    this.#switched = switched;
  }

  get zones(): ZoneSet {
    return this.#zones;
  }

  /**
   * Compiles the zones of a Plan with the leases known so far, then switches to them. The first time that is done when this returns;
   * later it takes its time, and is answered from the zones before meanwhile.
   */
  apply(plan: Plan): void {
    this.#next?.giveUp();
    const next: Next = { zones: new PlanZones(plan), missed: [], giveUp: () => {} };
    this.#next = next;
    const work = this.#switchTo(next);
    if (this.#current) next.giveUp = runSlices(this.#dependencies, work, () => {});
    else runWhole(work);
  }

  /**
   * Takes in leases that began or changed, and those that ended; touches no other record. A few are in when this returns;
   * all those of a rack that starts take their time, and what is told meanwhile comes behind them.
   */
  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    // The rack's first letter comes with the first Plan, before DHCP has told what it has
    if (bound.length > 0) this.#dependencies.publisher.leasesCome();
    this.#news.push({ bound, ended });
    if (this.#news.length === 1) this.#giveUpNews = runSlices(this.#dependencies, this.#takeNews(), () => {});
  }

  /** Gives up what is not done yet. */
  close(): void {
    this.#next?.giveUp();
    this.#giveUpNews();
  }

  /** The MAC of the lease at `address`, the first time it is called since that lease began. */
  firstQuestion(address: Ip4): Mac | undefined {
    const lease = this.#leases.get(address);
    if (!lease || lease.asked) return undefined;
    lease.asked = true;
    return lease.mac;
  }

  *#takeNews(): Slices<void> {
    let count = 0;
    for (let [news] = this.#news; news; [news] = this.#news) {
      for (const step of this.#stepsOf(news)) {
        step();
        if (++count % STRIDE > 0) continue;
        // Who transfers a zone meanwhile must not see what its serial does not stand for
        this.#publish();
        yield;
      }
      this.#publish();
      if (news.bound.length > 0) this.#dependencies.publisher.leasesKnown();
      this.#news.shift();
    }
  }

  *#stepsOf({ bound, ended }: News): Generator<() => void> {
    for (const address of ended) yield () => this.#end(address);
    for (const fact of bound) yield () => this.#bind(fact);
  }

  #publish(): void {
    for (const zone of this.#current?.takeChanged() ?? []) this.#dependencies.publisher.publish(zone);
  }

  #end(address: Ip4): void {
    const lease = this.#leases.get(address);
    this.#leases.delete(address);
    if (lease?.claim) this.#drop(lease.claim);
  }

  #bind(fact: LeaseFact): void {
    const name = fact.name?.toLowerCase();
    const known = this.#leases.get(fact.address);
    const same = known?.mac === fact.mac;
    if (same && known.claim?.name === name && known.claim?.host === fact.host && !this.#isOvertaken(known.claim))
      return;
    if (known?.claim) this.#drop(known.claim);
    const claim = name === undefined ? undefined : this.#claim(fact, name);
    this.#leases.set(fact.address, { mac: fact.mac, claim, asked: same && known.asked });
    if (claim) this.#add(claim);
  }

  #claim({ address, mac, host }: LeaseFact, name: string): NamedLease {
    const age = ++this.#lastAge;
    return { address, mac, name, turn: age, age, ...(host && { host }) };
  }

  /** A machine that renews a lease it had moved away from moved back. */
  #isOvertaken(claim: NamedLease | undefined): boolean {
    return claim !== undefined && (this.#current?.isOvertaken(claim) ?? false);
  }

  #add(claim: NamedLease): void {
    this.#current?.add(claim);
    this.#next?.missed.push({ add: true, claim });
  }

  #drop(claim: NamedLease): void {
    this.#current?.drop(claim);
    this.#next?.missed.push({ add: false, claim });
  }

  *#switchTo(next: Next): Slices<void> {
    // Those of this moment: what begins or ends from now on is a step that is missed
    const known = [...this.#leases.values()];
    yield* next.zones.build();
    let count = 0;
    for (const { claim } of known) {
      if (claim) next.zones.add(claim);
      if (++count % STRIDE === 0) yield;
    }
    for (const step of next.missed) {
      takeStep(next.zones, step);
      if (++count % STRIDE === 0) yield;
    }
    this.#switch(next.zones);
  }

  #switch(next: PlanZones): void {
    const { publisher } = this.#dependencies;
    const before = this.#zones;
    this.#zones = next.zones;
    this.#current = next;
    this.#next = undefined;
    next.takeChanged();
    for (const zone of before.all()) if (!this.#zones.get(zone.origin)) publisher.withdraw(zone);
    for (const zone of this.#zones.all()) publisher.replace(zone);
    this.#switched();
  }
}

function takeStep(zones: PlanZones, { add, claim }: Step): void {
  if (add) zones.add(claim);
  else zones.drop(claim);
}
