import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import { PlanZones, type NamedLease } from './plan-zones.ts';
import type { ZonePublishing } from './zone-publishing.ts';
import { ZoneSet } from './zone-set.ts';

/** A lease's wish for a name, kept from one Plan to the next. `age`: the higher the newer. */
interface Claim extends NamedLease {
  readonly age: number;
}

interface KnownLease {
  readonly mac: Mac;
  readonly claim: Claim | undefined;
  /** Whether its machine has asked us anything since it began. */
  asked: boolean;
}

/** The names of this rack: what the Plan wrote down, and what the leases brought. */
export class RackNames {
  readonly #publisher: ZonePublishing;
  readonly #switched: () => void;
  readonly #leases = new Map<Ip4, KnownLease>();
  #lastAge = 0;
  #current: PlanZones | undefined;
  #zones = new ZoneSet();

  /** `switched` is called when `zones` are others. */
  constructor(publisher: ZonePublishing, switched: () => void = () => {}) {
    this.#publisher = publisher;
    this.#switched = switched;
  }

  get zones(): ZoneSet {
    return this.#zones;
  }

  /** Compiles the zones of a Plan, names the leases known so far in the order they came, then switches to them. */
  apply(plan: Plan): void {
    this.#current = new PlanZones(plan);
    const claims = [...this.#leases.values()].flatMap(({ claim }) => (claim ? [claim] : []));
    for (const claim of claims.toSorted((a, b) => a.turn - b.turn || a.age - b.age)) this.#current.add(claim);
    const before = this.#zones;
    this.#zones = this.#current.zones;
    for (const zone of before.all()) if (!this.#zones.get(zone.origin)) this.#publisher.withdraw(zone.origin);
    for (const zone of this.#zones.all()) this.#publisher.replace(zone);
    this.#switched();
  }

  /** Takes in leases that began or changed, and those that ended; touches no other record. */
  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) this.#end(address);
    for (const fact of bound) this.#bind(fact);
    for (const zone of this.#zones.all()) this.#publisher.publish(zone);
  }

  /** The MAC of the lease at `address`, the first time it is called since that lease began. */
  firstQuestion(address: Ip4): Mac | undefined {
    const lease = this.#leases.get(address);
    if (!lease || lease.asked) return undefined;
    lease.asked = true;
    return lease.mac;
  }

  #end(address: Ip4): void {
    const lease = this.#leases.get(address);
    this.#leases.delete(address);
    if (lease?.claim) this.#current?.drop(lease.claim);
  }

  #bind(fact: LeaseFact): void {
    const name = fact.name?.toLowerCase();
    const known = this.#leases.get(fact.address);
    const same = known?.mac === fact.mac;
    if (same && known.claim?.name === name && known.claim?.host === fact.host && !this.#isOvertaken(known.claim))
      return;
    if (known?.claim) this.#current?.drop(known.claim);
    const claim = name === undefined ? undefined : this.#claim(fact, name);
    this.#leases.set(fact.address, { mac: fact.mac, claim, asked: same && known.asked });
    if (claim) this.#current?.add(claim);
  }

  #claim({ address, mac, host }: LeaseFact, name: string): Claim {
    const age = ++this.#lastAge;
    return { address, mac, name, turn: age, age, ...(host && { host }) };
  }

  /** A machine that renews a lease it had moved away from moved back. */
  #isOvertaken(claim: Claim | undefined): boolean {
    return claim !== undefined && (this.#current?.isOvertaken(claim) ?? false);
  }
}
