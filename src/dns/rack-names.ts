import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import { PlanZones, type NamedLease } from './plan-zones.ts';
import type { Serials } from './serials.ts';
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
  readonly #serials: Serials;
  readonly #leases = new Map<Ip4, KnownLease>();
  #lastAge = 0;
  #current: PlanZones | undefined;
  #zones = new ZoneSet();

  constructor(serials: Serials) {
    this.#serials = serials;
  }

  get zones(): ZoneSet {
    return this.#zones;
  }

  /** Compiles the zones of a Plan, names the leases known so far in the order they came, then switches to them. */
  apply(plan: Plan): void {
    this.#current = new PlanZones(plan);
    const claims = [...this.#leases.values()].flatMap(({ claim }) => (claim ? [claim] : []));
    for (const claim of claims.toSorted((a, b) => a.turn - b.turn || a.age - b.age)) this.#current.add(claim);
    this.#publish(this.#current.zones);
    this.#zones = this.#current.zones;
  }

  /** Takes in leases that began or changed, and those that ended; touches no other record. */
  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    for (const address of ended) this.#end(address);
    for (const fact of bound) this.#bind(fact);
    this.#publish(this.#zones);
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

  #publish(zones: ZoneSet): void {
    for (const zone of zones.all()) zone.publish(() => this.#serials.next());
  }
}
