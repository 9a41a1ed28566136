import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { rangeContains, type Range } from '../addr/range.ts';
import { AddressPool } from '../leases/address-pool.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Lease } from '../leases/lease.ts';
import { Offers } from '../leases/offers.ts';
import type { Host, Plan, Subnet } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Client } from './client.ts';
import { Claims, type Disbelief } from './claims.ts';
import { DeclineLimit } from './decline-limit.ts';
import { HostIndex } from './host-index.ts';
import { poolsFor, poolsOfClasses, type PoolOfClass } from './class-pools.ts';

/** A subnet this service gives addresses in. */
export interface ServedSubnet {
  readonly subnet: Subnet;
  readonly dynamic?: AddressPool;
  readonly static?: AddressPool;
  /** For the machines of a class; absent where there are none. */
  readonly pools?: readonly PoolOfClass[];
}

/** By what an address was chosen: written down, held last, just offered, asked for, or any free one. */
export type ChosenBy = 'fixed' | 'lease' | 'offer' | 'wish' | 'free';

/** The address for a DISCOVER, or why there is none. `exhausted`: the client's ranges are full. */
export type Choice =
  | { readonly address: Ip4; readonly by: ChosenBy }
  | { readonly address?: undefined; readonly none: string; readonly exhausted: boolean };

/** RFC 2131 §4.3.1 leaves the time to us: a ROM that goes through spanning tree asks again for a minute. */
const OFFER_MILLISECONDS = 60_000;
/** Long enough to find the squatter; Kea's 24 h let a broken client empty a range (peers.md §3.3/42). */
const QUARANTINE_SECONDS = 600;
/** As many addresses as an honest client may meet in a row. */
const MOST_DECLINES = 4;
/** Who is seen again within this part of the time that his address is kept for does not make it longer. */
const SOON = 1 / 10;

/** Who may have which address: the Plan's wishes, the leases, and what was offered a moment ago. */
export class Addresses {
  readonly #book: LeaseBook;
  readonly #offers = new Offers();
  readonly #declines = new DeclineLimit(MOST_DECLINES);
  readonly #claims: Claims;
  readonly #clock: Clock;
  #served: readonly ServedSubnet[] = [];
  #hosts = new HostIndex({ hosts: [], subnets: [], dns: { domains: [], names: [] } });
  /** Where leases changed since the last commit. */
  #changed: Ip4[] = [];

  /** `crowded` is told when more of a range is claimed by strangers than is believed, and when that is over. */
  constructor(book: LeaseBook, clock: Clock, crowded: (range: Range, isCrowded: boolean) => void = () => undefined) {
    this.#book = book;
    this.#clock = clock;
    this.#claims = new Claims(crowded);
  }

  get served(): readonly ServedSubnet[] {
    return this.#served;
  }

  /**
   * Takes over a new Plan: leases stay, ranges are looked at anew. Returns the leases whose time ran out before and
   * which only the former Plan kept.
   */
  apply(plan: Plan): Lease[] {
    const now = this.#now();
    const kept = [...this.#book.all()].filter((lease) => lease.expires <= now && this.#keeps(lease));
    this.#hosts = new HostIndex(plan);
    const subnets = plan.subnets.filter((subnet) => subnet.management !== 'none');
    this.#served = subnets.map((subnet) => this.#serve(subnet, plan));
    const idle = [...this.#book.all()].filter((lease) => !this.isHeld(lease));
    for (const lease of idle.toSorted((a, b) => a.expires - b.expires)) this.#giveBack(lease.address);
    return kept.filter((lease) => !this.#keeps(lease));
  }

  host(client: Client): Host | undefined {
    return this.#hosts.of(client);
  }

  /** By which sign `host` knows it. */
  hostSign(client: Client): ReturnType<HostIndex['signOf']> {
    return this.#hosts.signOf(client);
  }

  /** Whether any host is known by the port it is on. */
  get knowsPorts(): boolean {
    return this.#hosts.knowsPorts;
  }

  /** The port of the host whose lease this client holds at `address`: its circuit-id in hex. */
  portOf(client: Client, address: Ip4): string | undefined {
    const lease = this.leaseOf(client, address);
    return lease && this.#hosts.ofLease(lease)?.circuitIds?.[0];
  }

  /** Whether a lease is that of a host which its MAC alone does not tell. */
  isHostsBySign(lease: Lease): boolean {
    const host = this.#hosts.ofLease(lease);
    return host !== undefined && host !== this.#hosts.of({ mac: lease.mac });
  }

  /** The name this client's lease gets: a host's own, else what it calls itself, unless that is taken. */
  nameFor(client: Client, served: ServedSubnet): string | undefined {
    const host = this.host(client);
    if (host) return host.name;
    return this.nameHolder(client, served) === undefined ? client.name : undefined;
  }

  /** Who has the name that this client, which is no host, calls itself by. */
  nameHolder({ name }: Client, { subnet }: ServedSubnet): 'a host' | 'dns' | undefined {
    if (name === undefined) return undefined;
    if (this.#hosts.hasName(name)) return 'a host';
    return this.#hosts.isWritten(name, subnet) ? 'dns' : undefined;
  }

  /** The lease this client holds at `address` now. */
  leaseOf(client: Client, address: Ip4): Lease | undefined {
    const lease = this.#book.at(address);
    return lease?.client === client.key && this.isHeld(lease) ? lease : undefined;
  }

  /** Whether a lease still binds its address: it runs, or the Plan keeps it. */
  isHeld(lease: Lease): boolean {
    return lease.expires > this.#now() || this.#keeps(lease);
  }

  /** The subnet among these in which this client's host has an address written down. */
  homeOf(client: Client, link: readonly ServedSubnet[]): ServedSubnet | undefined {
    const host = this.host(client);
    return host && link.find(({ subnet }) => this.#hosts.fixedAddress(host, subnet) !== undefined);
  }

  /** The address in this subnet that we know this client by: written down, last leased or just offered. */
  recordOf(client: Client, { subnet }: ServedSubnet): Ip4 | undefined {
    const fixed = this.#hosts.fixedAddress(this.host(client), subnet);
    if (fixed !== undefined) return fixed;
    const leased = this.#leasesOf(client).find(({ address }) => cidrContains(subnet.cidr, address));
    if (leased) return leased.address;
    const offered = this.#offers.of(client.key);
    return offered !== undefined && cidrContains(subnet.cidr, offered) ? offered : undefined;
  }

  /** The address for a DISCOVER, held for a minute; or why there is none. Preferences of RFC 2131 §4.3.1. */
  offer(client: Client, served: ServedSubnet): Choice {
    const choice = this.#choose(client, served);
    if (choice.address === undefined) return choice;
    const freed = this.#offers.offer(choice.address, client.key, this.#clock.monotonic() + OFFER_MILLISECONDS);
    if (freed !== undefined) this.#giveBack(freed);
    return choice;
  }

  /** Whether this client may have exactly `address` now; undefined, or why not. */
  refusal(client: Client, served: ServedSubnet, address: Ip4): string | undefined {
    const { subnet } = served;
    if (subnet.management === 'proxy') return 'another server gives the addresses there';
    if (!cidrContains(subnet.cidr, address)) return `${formatIp4(address)} is not on this network`;
    const fixed = this.#hosts.fixedAddress(this.host(client), subnet);
    if (fixed !== undefined && fixed !== address) return `this host has ${formatIp4(fixed)}`;
    const owner = this.#hosts.ownerOf(address);
    if (owner && owner !== this.host(client)) return `${formatIp4(address)} belongs to host ${owner.name}`;
    if (fixed === undefined && !this.#poolsFor(client, served).some((pool) => rangeContains(pool.range, address))) {
      return `${formatIp4(address)} is outside the range this client is given from`;
    }
    return this.isTakenByOther(client, address) ? `${formatIp4(address)} is taken` : undefined;
  }

  /** Whether another client has `address` by lease, offer or the Plan, or nobody may have it. */
  isTakenByOther(client: Client, address: Ip4): boolean {
    const owner = this.#hosts.ownerOf(address);
    if (this.#hosts.isReserved(address) || (owner && owner !== this.host(client))) return true;
    const lease = this.#book.at(address);
    if (lease && lease.client !== client.key) {
      // A host's address is kept for all its cards: one that runs no more does not keep it from the others
      if (owner ? lease.expires > this.#now() : this.isHeld(lease)) return true;
    }
    const hold = this.#offers.holder(address);
    return hold !== undefined && hold.client !== client.key && hold.user !== client.mac;
  }

  /** Binds `address`, which `refusal` had nothing against. On disk with the next commit. */
  bind(client: Client, served: ServedSubnet, address: Ip4, expires = this.#endFor(served)): Lease {
    const name = this.nameFor(client, served);
    const isSteady = served.static !== undefined && rangeContains(served.static.range, address);
    const lease: Lease = {
      address,
      client: client.key,
      mac: client.mac,
      expires,
      kept: isSteady && this.host(client) !== undefined,
      ...(name === undefined ? {} : { name }),
    };
    this.#endOthers(client, served, address);
    this.#poolAt(address)?.takeWanted(address);
    this.#put(lease);
    const freed = this.#offers.release(client.key);
    if (freed !== undefined && freed !== address) this.#giveBack(freed);
    return lease;
  }

  /** Writes what was bound and ended since the last time. Throws when the disk refuses: then nothing of it happened. */
  commit(): void {
    try {
      this.#book.commit();
    } catch (error) {
      for (const address of this.#changed) if (!this.#isTaken(address)) this.#giveBack(address);
      throw error;
    } finally {
      this.#changed = [];
    }
  }

  /** Whole seconds that `client` has left of its lease of `address`; 0 when it holds none. */
  secondsLeft(client: Client, address: Ip4): number {
    const lease = this.leaseOf(client, address);
    return lease ? Math.max(0, lease.expires - Math.ceil(this.#clock.now() / 1000)) : 0;
  }

  /** The client chose another server or asked for something else: what we offered is free again. */
  withdrawOffer(client: Client): void {
    const freed = this.#offers.release(client.key);
    if (freed !== undefined) this.#giveBack(freed);
  }

  /** Ends a lease now, at the client's word. Undefined when it was not this client's; `kept`: it stays its address. */
  release(client: Client, address: Ip4): { readonly kept: boolean } | undefined {
    const lease = this.leaseOf(client, address);
    if (!lease || lease.expires <= this.#now()) return undefined;
    const kept = this.#keeps(lease);
    this.#put({ ...lease, expires: this.#now(), released: true });
    if (!kept) this.#giveBack(address);
    return { kept };
  }

  /**
   * Someone else uses `address`, says its client: nobody gets it for a while. `unheard`: this client was never given
   * it. `freed`: it declines too much to be believed, so that one broken client can't empty a range: the address is
   * not the client's any more, and anyone's.
   */
  decline(client: Client, served: ServedSubnet, address: Ip4): 'quarantined' | 'freed' | 'unheard' {
    const lease = this.leaseOf(client, address);
    if (!lease && this.#offers.of(client.key) !== address) return 'unheard';
    if (lease) this.#put({ ...lease, expires: this.#now(), kept: false, released: true });
    this.withdrawOffer(client);
    const now = this.#clock.monotonic();
    const until = now + quarantineOf(served);
    const isBelieved = this.#declines.take(client.mac, now, until, this.#poolAt(address)?.range);
    if (isBelieved) this.#offers.quarantine(address, until);
    else this.#giveBack(address);
    return isBelieved ? 'quarantined' : 'freed';
  }

  /** `holder` was seen to use what was offered to `client`; or why that is not believed: then the offer stands. */
  quarantine(client: Client, address: Ip4, holder: Mac): Disbelief | undefined {
    const until = this.#clock.monotonic() + quarantineOf(this.#servedAt(address));
    const disbelief = this.#claims.take(holder, address, until, this.#poolAt(address)?.range);
    if (disbelief) return disbelief;
    this.withdrawOffer(client);
    this.#offers.quarantine(address, until, holder);
    return undefined;
  }

  /**
   * `user` was seen to use `address`, which is lent to nobody: for as long as after a DECLINE it is given to no other. False: that is as it
   * should be or known, it is none of ours to give, or too much is claimed for that to be true.
   */
  avoid(address: Ip4, user: Mac): boolean {
    const lease = this.#book.at(address);
    const owner = this.#hosts.ownerOf(address);
    const pool = this.#poolAt(address);
    if ((lease && this.isHeld(lease)) || (!pool && !owner) || owner?.macs.includes(user)) return false;
    const hold = this.#offers.holder(address);
    // It takes what it was just offered
    if (hold?.client === user) return false;
    const time = quarantineOf(this.#servedAt(address));
    const until = this.#clock.monotonic() + time;
    const isFresh = hold !== undefined && hold.client === undefined && until - hold.until < time * SOON;
    if (isFresh && hold.user === user) return false;
    if (this.#claims.take(user, address, until, pool?.range)) return false;
    this.#offers.quarantine(address, isFresh ? hold.until : until, user);
    return true;
  }

  isOfferedTo(client: Client, address: Ip4): boolean {
    return this.#offers.of(client.key) === address;
  }

  /** How long ago the last lease of `address` ended, below 0 while it runs; undefined: there was none. */
  secondsIdle(address: Ip4): number | undefined {
    const lease = this.#book.at(address);
    return lease && this.#now() - lease.expires;
  }

  /** Leases that ran out and holds that ended go back to their ranges. Returns the leases that ended. */
  sweep(): Lease[] {
    this.#declines.sweep(this.#clock.monotonic());
    this.#claims.sweep(this.#clock.monotonic());
    for (const address of this.#offers.takeEnded(this.#clock.monotonic())) {
      const lease = this.#book.at(address);
      if (!lease || !this.isHeld(lease)) this.#giveBack(address);
    }
    const expired = this.#book.takeExpired(this.#now()).filter((lease) => !this.#keeps(lease));
    for (const lease of expired) if (!this.#offers.holder(lease.address)) this.#giveBack(lease.address);
    return expired;
  }

  /** The leases that hold an address now. */
  held(): Lease[] {
    return [...this.#book.all()].filter((lease) => this.isHeld(lease));
  }

  /** Ends a lease at an operator's word, a kept one too. */
  revoke(lease: Lease): void {
    this.#put({ ...lease, expires: Math.min(lease.expires, this.#now()), kept: false, released: true });
    this.#giveBack(lease.address);
  }

  /** Rounded up: we must not think it over before the client does. */
  #endFor({ subnet }: ServedSubnet): number {
    return Math.ceil(this.#clock.now() / 1000) + subnet.leaseSeconds;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** Whether the address is the host's for good: written down still, with this address or none, in a static range. */
  #keeps(lease: Lease): boolean {
    const host = lease.kept ? this.#hosts.ofLease(lease) : undefined;
    if (!host) return false;
    const { address } = lease;
    const served = this.#served.find((each) => each.static && rangeContains(each.static.range, address));
    return served !== undefined && (this.#hosts.fixedAddress(host, served.subnet) ?? address) === address;
  }

  /** The client's leases, those that ran out included: first what it has now, then what it had last. */
  #leasesOf(client: Client): readonly Lease[] {
    const leases = this.#book.of(client.key);
    if (leases.length < 2) return leases;
    return leases.toSorted((a, b) => Number(this.isHeld(b)) - Number(this.isHeld(a)) || b.expires - a.expires);
  }

  /** One address a client and link: without this, a single client could take a whole range, one REQUEST at a time. */
  #endOthers(client: Client, { subnet }: ServedSubnet, address: Ip4): void {
    for (const other of this.#book.of(client.key)) {
      if (other.address === address || !this.#isOnLink(subnet, other.address) || !this.isHeld(other)) continue;
      // A host that gave its address back kept it all the same: only now does it end, and that is to be told
      const { released: _given, ...rest } = other;
      this.#put({ ...rest, expires: Math.min(other.expires, this.#now()), kept: false });
      this.#giveBack(other.address);
    }
  }

  #isOnLink({ cidr, shared }: Subnet, address: Ip4): boolean {
    if (cidrContains(cidr, address)) return true;
    if (shared === undefined) return false;
    return this.#served.some(({ subnet }) => subnet.shared === shared && cidrContains(subnet.cidr, address));
  }

  #put(lease: Lease): void {
    this.#changed.push(lease.address);
    this.#book.put(lease);
  }

  #serve(subnet: Subnet, plan: Plan): ServedSubnet {
    const isTaken = (address: Ip4): boolean => this.#isTaken(address);
    return {
      subnet,
      ...(subnet.dynamic ? { dynamic: new AddressPool(subnet.dynamic, isTaken) } : {}),
      ...(subnet.static ? { static: new AddressPool(subnet.static, isTaken) } : {}),
      ...(subnet.pools ? { pools: poolsOfClasses(subnet.pools, plan.classes, isTaken) } : {}),
    };
  }

  #choose(client: Client, served: ServedSubnet): Choice {
    const fixed = this.#hosts.fixedAddress(this.host(client), served.subnet);
    if (fixed !== undefined) {
      if (!this.isTakenByOther(client, fixed)) return { address: fixed, by: 'fixed' };
      return { none: `${formatIp4(fixed)} of this host is still in other hands`, exhausted: false };
    }
    const groups = this.#poolGroupsFor(client, served);
    for (const pools of groups) {
      const choice = this.#chooseFrom(pools, client);
      if (choice) return choice;
    }
    if (groups.length === 0) return { none: 'this subnet has no range for a machine like this', exhausted: false };
    return { none: 'no free address in its range', exhausted: true };
  }

  /** The client's current or last address, what it was just offered, what it asks for, any free one: in this order. */
  #chooseFrom(pools: readonly AddressPool[], client: Client): Choice | undefined {
    const poolOf = (address: Ip4): AddressPool | undefined => pools.find(({ range }) => rangeContains(range, address));
    for (const { address } of this.#leasesOf(client)) {
      const pool = poolOf(address);
      if (!pool || this.isTakenByOther(client, address)) continue;
      pool.takeWanted(address);
      return { address, by: 'lease' };
    }
    const offered = this.#offers.of(client.key);
    if (offered !== undefined && poolOf(offered) && !this.isTakenByOther(client, offered)) {
      return { address: offered, by: 'offer' };
    }
    const { requested } = client;
    // It uses it already
    if (requested !== undefined && poolOf(requested) && this.#offers.holder(requested)?.user === client.mac) {
      if (!this.isTakenByOther(client, requested)) return { address: requested, by: 'wish' };
    }
    const wanted = requested === undefined ? undefined : poolOf(requested)?.takeWanted(requested);
    if (wanted !== undefined) return { address: wanted, by: 'wish' };
    for (const pool of pools) {
      const free = pool.take();
      if (free !== undefined) return { address: free, by: 'free' };
    }
    return undefined;
  }

  #poolsFor(client: Client, served: ServedSubnet): AddressPool[] {
    return this.#poolGroupsFor(client, served).flat();
  }

  /**
   * Hosts live on the static range, or where that is missing or full, like everyone: on the pools of its class, which
   * are one to it, and the dynamic range.
   */
  #poolGroupsFor(client: Client, served: ServedSubnet): (readonly AddressPool[])[] {
    const groups: (readonly AddressPool[])[] = [];
    if (served.static && this.host(client)) groups.push([served.static]);
    const ofClasses = served.pools ? poolsFor(client, served.pools) : [];
    if (ofClasses.length > 0) groups.push(ofClasses);
    if (served.dynamic) groups.push([served.dynamic]);
    return groups;
  }

  #isTaken(address: Ip4): boolean {
    const lease = this.#book.at(address);
    if (lease && this.isHeld(lease)) return true;
    const isOwned = this.#hosts.isReserved(address) || this.#hosts.ownerOf(address) !== undefined;
    return isOwned || this.#offers.holder(address) !== undefined;
  }

  #giveBack(address: Ip4): void {
    this.#poolAt(address)?.giveBack(address);
  }

  #servedAt(address: Ip4): ServedSubnet | undefined {
    return this.#served.find(({ subnet }) => cidrContains(subnet.cidr, address));
  }

  #poolAt(address: Ip4): AddressPool | undefined {
    for (const served of this.#served) {
      if (served.dynamic && rangeContains(served.dynamic.range, address)) return served.dynamic;
      if (served.static && rangeContains(served.static.range, address)) return served.static;
      const ofClass = served.pools?.find(({ pool }) => rangeContains(pool.range, address));
      if (ofClass) return ofClass.pool;
    }
    return undefined;
  }
}

/** Milliseconds. */
function quarantineOf(served: ServedSubnet | undefined): number {
  return (served?.subnet.quarantineSeconds ?? QUARANTINE_SECONDS) * 1000;
}
