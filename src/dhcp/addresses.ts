import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { rangeContains } from '../addr/range.ts';
import { AddressPool } from '../leases/address-pool.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import { Offers } from '../leases/offers.ts';
import type { Host, Plan, Subnet } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Client } from './client.ts';

/** A subnet this service gives addresses in. */
export interface ServedSubnet {
  readonly subnet: Subnet;
  readonly dynamic?: AddressPool;
  readonly static?: AddressPool;
}

/** An address a client may have. `kept`: for good. */
export interface Choice {
  readonly address: Ip4;
  readonly kept: boolean;
}

/** RFC 2131 §4.3.1 leaves the time to us: a ROM that goes through spanning tree asks again for a minute. */
const OFFER_MILLISECONDS = 60_000;
/** Long enough to find the squatter; Kea's 24 h let a broken client empty a range (peers.md §3.3/42). */
const QUARANTINE_MILLISECONDS = 600_000;

/** Who may have which address: the Plan's wishes, the leases, and what was offered a moment ago. */
export class Addresses {
  readonly #book: LeaseBook;
  readonly #offers = new Offers();
  readonly #clock: Clock;
  #served: readonly ServedSubnet[] = [];
  #hostsByMac = new Map<Mac, Host>();
  #hostsByAddress = new Map<Ip4, Host>();
  #hostNames = new Map<string, Host>();
  /** Addresses that are somebody else's whatever the ranges say: the racks' own and the routers. */
  #reserved = new Set<Ip4>();

  constructor(book: LeaseBook, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
  }

  get served(): readonly ServedSubnet[] {
    return this.#served;
  }

  /** Takes over a new Plan: leases stay, ranges are looked at anew. */
  apply(plan: Plan): void {
    this.#hostsByMac = new Map(plan.hosts.flatMap((host) => host.macs.map((mac) => [mac, host] as const)));
    this.#hostsByAddress = new Map(
      plan.hosts.flatMap((host) => (host.address === undefined ? [] : [[host.address, host]])),
    );
    this.#hostNames = new Map(plan.hosts.map((host) => [host.name, host]));
    this.#reserved = new Set(
      plan.subnets.flatMap(({ rackAddress, router }) =>
        [rackAddress, router].filter((address) => address !== undefined),
      ),
    );
    const subnets = plan.subnets.filter((subnet) => subnet.management !== 'none');
    this.#served = subnets.map((subnet) => this.#serve(subnet));
    this.#forgetFormerHosts();
    const idle = [...this.#book.all()].filter((lease) => !lease.kept && lease.expires <= this.#now());
    for (const lease of idle.toSorted((a, b) => a.expires - b.expires)) this.#giveBack(lease.address);
  }

  host(client: Client): Host | undefined {
    return this.#hostsByMac.get(client.mac);
  }

  /** The name this client's lease gets: a host's own, else what it calls itself, unless that is a host's name. */
  nameFor(client: Client): string | undefined {
    const host = this.host(client);
    if (host) return host.name;
    return client.name !== undefined && this.#hostNames.has(client.name) ? undefined : client.name;
  }

  /** The lease this client holds at `address` now. */
  leaseOf(client: Client, address: Ip4): Lease | undefined {
    const lease = this.#book.at(address);
    return lease?.client === client.key && this.#holds(lease) ? lease : undefined;
  }

  /** The address in this subnet that we know this client by: written down, last leased or just offered. */
  recordOf(client: Client, { subnet }: ServedSubnet): Ip4 | undefined {
    const fixed = this.#fixedAddress(client, subnet);
    if (fixed !== undefined) return fixed;
    const leases = this.#book.of(client.key).filter((lease) => cidrContains(subnet.cidr, lease.address));
    const latest = leases.toSorted((a, b) => b.expires - a.expires)[0];
    if (latest) return latest.address;
    const offered = this.#offers.of(client.key);
    return offered !== undefined && cidrContains(subnet.cidr, offered) ? offered : undefined;
  }

  /** The address for a DISCOVER, held for a minute; or why there is none. Preferences of RFC 2131 §4.3.1. */
  offer(client: Client, served: ServedSubnet): Choice | { readonly none: string; readonly exhausted: boolean } {
    const choice = this.#choose(client, served);
    if (!('address' in choice)) return choice;
    const freed = this.#offers.offer(choice.address, client.key, this.#clock.monotonic() + OFFER_MILLISECONDS);
    if (freed !== undefined) this.#giveBack(freed);
    return choice;
  }

  /** Whether this client may have exactly `address` now; undefined, or why not. */
  refusal(client: Client, served: ServedSubnet, address: Ip4): string | undefined {
    const { subnet } = served;
    if (!cidrContains(subnet.cidr, address)) return `${formatIp4(address)} is not on this network`;
    const fixed = this.#fixedAddress(client, subnet);
    if (fixed !== undefined && fixed !== address) return `this host has ${formatIp4(fixed)}`;
    const owner = this.#hostsByAddress.get(address);
    if (owner && owner !== this.host(client)) return `${formatIp4(address)} belongs to host ${owner.name}`;
    if (fixed === undefined && !this.#rangeFor(client, served)?.some((pool) => rangeContains(pool.range, address))) {
      return `${formatIp4(address)} is outside the range this client is given from`;
    }
    return this.#takenByOther(client, address) ? `${formatIp4(address)} is taken` : undefined;
  }

  /** Binds `address`, which `refusal` had nothing against. On disk with the book's next commit. */
  bind(client: Client, served: ServedSubnet, address: Ip4): Lease {
    const name = this.nameFor(client);
    const kept =
      served.static !== undefined && rangeContains(served.static.range, address) && this.host(client) !== undefined;
    const lease: Lease = {
      address,
      client: client.key,
      mac: client.mac,
      expires: this.#now() + served.subnet.leaseSeconds,
      kept,
      ...(name === undefined ? {} : { name }),
    };
    this.#poolAt(address)?.takeWanted(address);
    this.#book.put(lease);
    const freed = this.#offers.release(client.key);
    if (freed !== undefined && freed !== address) this.#giveBack(freed);
    return lease;
  }

  /** The client chose another server or asked for something else: what we offered is free again. */
  withdrawOffer(client: Client): void {
    const freed = this.#offers.release(client.key);
    if (freed !== undefined) this.#giveBack(freed);
  }

  /** Ends a lease now, at the client's word. False when it was not this client's. */
  release(client: Client, address: Ip4): boolean {
    const lease = this.leaseOf(client, address);
    if (!lease || lease.expires <= this.#now()) return false;
    this.#book.put({ ...lease, expires: this.#now(), released: true });
    if (!lease.kept) this.#giveBack(address);
    return true;
  }

  /** Someone else uses `address`: nobody gets it for ten minutes. False when this client was never given it. */
  decline(client: Client, address: Ip4): boolean {
    const lease = this.leaseOf(client, address);
    if (!lease && this.#offers.of(client.key) !== address) return false;
    if (lease) this.#book.put({ ...lease, expires: this.#now(), kept: false, released: true });
    this.#offers.quarantine(address, this.#clock.monotonic() + QUARANTINE_MILLISECONDS);
    return true;
  }

  /** Leases that ran out and holds that ended go back to their ranges. Returns the leases that ended. */
  sweep(): Lease[] {
    for (const address of this.#offers.takeEnded(this.#clock.monotonic())) {
      const lease = this.#book.at(address);
      if (!lease || !this.#holds(lease)) this.#giveBack(address);
    }
    const expired = this.#book.takeExpired(this.#now()).filter((lease) => !lease.kept);
    for (const lease of expired) if (!this.#offers.holder(lease.address)) this.#giveBack(lease.address);
    return expired;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #holds(lease: Lease): boolean {
    return lease.kept || lease.expires > this.#now();
  }

  #serve(subnet: Subnet): ServedSubnet {
    const isTaken = (address: Ip4): boolean => this.#isTaken(address);
    return {
      subnet,
      ...(subnet.dynamic ? { dynamic: new AddressPool(subnet.dynamic, isTaken) } : {}),
      ...(subnet.static ? { static: new AddressPool(subnet.static, isTaken) } : {}),
    };
  }

  #choose(client: Client, served: ServedSubnet): Choice | { none: string; exhausted: boolean } {
    const fixed = this.#fixedAddress(client, served.subnet);
    if (fixed !== undefined) {
      if (!this.#takenByOther(client, fixed)) return { address: fixed, kept: false };
      return { none: `${formatIp4(fixed)} of this host is still held by another client`, exhausted: false };
    }
    for (const pool of this.#rangeFor(client, served) ?? []) {
      const address = this.#chooseFrom(pool, client);
      if (address !== undefined) return { address, kept: pool === served.static };
    }
    return {
      none: `no free address in ${served.dynamic || served.static ? 'its range' : 'this subnet: it has no range'}`,
      exhausted: true,
    };
  }

  /** The client's current or last address, what it was just offered, what it asks for, any free one: in this order. */
  #chooseFrom(pool: AddressPool, client: Client): Ip4 | undefined {
    for (const { address } of this.#book.of(client.key)) {
      if (!rangeContains(pool.range, address) || this.#takenByOther(client, address)) continue;
      pool.takeWanted(address);
      return address;
    }
    const offered = this.#offers.of(client.key);
    if (offered !== undefined && rangeContains(pool.range, offered)) return offered;
    return (client.requested === undefined ? undefined : pool.takeWanted(client.requested)) ?? pool.take();
  }

  /** A host's written address, on the subnet where it makes sense. */
  #fixedAddress(client: Client, subnet: Subnet): Ip4 | undefined {
    const address = this.host(client)?.address;
    return address !== undefined && cidrContains(subnet.cidr, address) ? address : undefined;
  }

  /** Hosts live on the static range, or where there is none, like everyone on the dynamic one. */
  #rangeFor(client: Client, served: ServedSubnet): AddressPool[] | undefined {
    const pools = this.host(client) ? [served.static, served.dynamic] : [served.dynamic];
    return pools.filter((pool) => pool !== undefined);
  }

  #takenByOther(client: Client, address: Ip4): boolean {
    const lease = this.#book.at(address);
    if (lease && lease.client !== client.key && this.#holds(lease)) return true;
    const hold = this.#offers.holder(address);
    if (hold && hold.client !== client.key) return true;
    const owner = this.#hostsByAddress.get(address);
    return this.#reserved.has(address) || (owner !== undefined && owner !== this.host(client));
  }

  #isTaken(address: Ip4): boolean {
    const lease = this.#book.at(address);
    if (lease && this.#holds(lease)) return true;
    return (
      this.#offers.holder(address) !== undefined || this.#reserved.has(address) || this.#hostsByAddress.has(address)
    );
  }

  #giveBack(address: Ip4): void {
    this.#poolAt(address)?.giveBack(address);
  }

  #poolAt(address: Ip4): AddressPool | undefined {
    for (const served of this.#served) {
      if (served.dynamic && rangeContains(served.dynamic.range, address)) return served.dynamic;
      if (served.static && rangeContains(served.static.range, address)) return served.static;
    }
    return undefined;
  }

  /** An address kept for a machine that is no longer written down becomes an ordinary lease, and so comes free. */
  #forgetFormerHosts(): void {
    const former = [...this.#book.all()].filter((lease) => lease.kept && !this.#hostsByMac.has(lease.mac));
    for (const lease of former) this.#book.put({ ...lease, kept: false });
  }
}
