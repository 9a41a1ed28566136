import { cidrContains, type Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Host, Plan, WrittenName } from '../plan/plan.ts';
import { childKey, keyText, nameKey, type NameKey } from '../wire/dns/name.ts';
import { compileData, compileRecords, type RecordSet, type SoaTimes } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import { classlessKey, reverseKey, reverseOrigins } from './reverse.ts';
import type { Slices } from './slices.ts';
import { ZoneSet } from './zone-set.ts';
import { Zone } from './zone.ts';

/** A lease that wants a name. `name`: one label, lower case. */
export interface NamedLease {
  readonly address: Ip4;
  readonly mac: Mac;
  readonly name: string;
  /** It is that of the host with this name, which is known by another sign than its MAC. */
  readonly host?: true;
  /** The higher the newer. */
  readonly age: number;
  /** Of several that want one name the lowest has it. `add` lowers it to that of the machine's other lease, if it moved. */
  turn: number;
}

/** Seconds a resolver may keep what the file or the region wrote down. */
const STEADY_TTL = 300;
/** A lease may end at any moment. */
const LEASE_TTL = 30;
/** A name asked for too early must be there soon after: the "no" is kept for `minimum` seconds only. */
const SOA_TIMES: SoaTimes = { refresh: 300, retry: 60, expire: 604_800, minimum: 10 };

/** What a machine may call itself: letters, digits, hyphens inside (RFC 1123 §2.1), and the underscore that some use. */
const HOST_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * What clients ask for by themselves, and then send all they do through whoever has the name (proxies and tunnels of
 * Windows and browsers), and what means the machine itself: to be had by a host of the file, but not by asking for it.
 */
const TAKEN_BY_NOBODY = new Set(['wpad', 'isatap', 'localhost']);

/** A subnet whose names this rack answers for. */
interface NamedSubnet {
  readonly cidr: Cidr;
  readonly rackAddress?: Ip4;
  readonly domain: NameKey;
}

/** Where a name and its address stand: the pair of records to put or to remove. */
interface Place {
  readonly key: NameKey;
  readonly address: Ip4;
}

/** What an address is called that many names may lead to. */
interface Pointer {
  readonly key: NameKey;
  readonly ttl: number;
}

/** Hosts and names placed between two pauses: some 500 µs. */
const STRIDE = 64;

/**
 * The zones of one Plan: forward and reverse of every subnet that is `dhcp+dns` and has a domain, and `dns.domains`. The rack
 * comes before hosts, hosts before the names that no machine has, and these before leases. An address, though, is called by its
 * host's name or its lease's, and by the first of the others only while it has neither. Of two machines whose leases want one name the first has it, until its lease ends;
 * of two leases of one machine, the newer: it moved. A lease without a name has no records.
 */
export class PlanZones {
  readonly zones = new ZoneSet();
  readonly #plan: Plan;
  readonly #rack: string;
  readonly #changed = new Set<Zone>();
  readonly #subnets: readonly NamedSubnet[];
  readonly #domains: ReadonlySet<NameKey>;
  readonly #fixedNames = new Set<NameKey>();
  readonly #fixedAddresses = new Set<Ip4>();
  /** What addresses of subnets are called while no machine with a name has them. */
  readonly #pointers = new Map<Ip4, Pointer>();
  /** Host name → the MACs it belongs to: no other machine gets it, in no domain. */
  readonly #owners: ReadonlyMap<string, ReadonlySet<Mac>>;
  /** Who wants a name, by turn; leases of one machine stand together, the newest first. The first of all has it. */
  readonly #claims = new Map<NameKey, NamedLease[]>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#rack = rackLabel(plan.rack.name);
    this.#subnets = namedSubnets(plan, this.#rack);
    this.#domains = new Set([...this.#subnets.map(({ domain }) => domain), ...furtherDomains(plan, this.#rack)]);
    this.#owners = new Map(plan.hosts.map((host) => [host.name, new Set(host.macs)]));
  }

  /** Places all that the Plan wrote down. Comes before any lease. */
  *build(): Slices<void> {
    for (const { domain, cidr } of this.#subnets) this.#addZones(domain, reverseOrigins(cidr));
    for (const domain of this.#domains) this.#addZones(domain);
    this.#placeRack();
    let count = 0;
    for (const host of this.#plan.hosts) {
      this.#placeHost(host);
      if (++count % STRIDE === 0) yield;
    }
    for (const name of this.#plan.dns.names) {
      this.#placeName(name);
      if (++count % STRIDE === 0) yield;
    }
  }

  /** The zones that were changed since this was called before. */
  takeChanged(): readonly Zone[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Gives a lease its name, or has it wait for it. In whatever order leases are added, the same one has it. */
  add(lease: NamedLease): void {
    const place = this.#place(lease);
    if (!place) return;
    const claims = this.#claims.get(place.key);
    if (!claims) {
      this.#claims.set(place.key, [lease]);
      return this.#putPair(place, LEASE_TTL);
    }
    const before = claims[0];
    claims.push(lease);
    const own = claims.filter(({ mac }) => mac === lease.mac);
    const turn = Math.min(...own.map((claim) => claim.turn));
    for (const claim of own) claim.turn = turn;
    claims.sort((a, b) => a.turn - b.turn || b.age - a.age);
    if (claims[0] === before || !claims[0]) return;
    if (before) this.#removePair({ key: place.key, address: before.address });
    this.#putPair({ key: place.key, address: claims[0].address }, LEASE_TTL);
  }

  /** Whether another lease of the same machine goes before this one. */
  isOvertaken(lease: NamedLease): boolean {
    const place = this.#place(lease);
    const claims = place && this.#claims.get(place.key);
    return claims !== undefined && claims.find(({ mac }) => mac === lease.mac) !== lease;
  }

  /** Takes a lease's name away, and gives it to who waits for it. */
  drop(lease: NamedLease): void {
    const place = this.#place(lease);
    const claims = place && this.#claims.get(place.key);
    const index = claims?.indexOf(lease) ?? -1;
    if (!place || !claims || index < 0) return;
    claims.splice(index, 1);
    if (index > 0) return;
    this.#removePair(place);
    const heir = claims[0];
    if (heir) this.#putPair({ key: place.key, address: heir.address }, LEASE_TTL);
    else this.#claims.delete(place.key);
  }

  /** Where a lease's records belong under this Plan; undefined when it may have none. */
  #place(lease: NamedLease): Place | undefined {
    if (!HOST_LABEL.test(lease.name) || this.#fixedAddresses.has(lease.address)) return undefined;
    const owners = this.#owners.get(lease.name);
    if (owners && !owners.has(lease.mac) && !lease.host) return undefined;
    if (!owners && TAKEN_BY_NOBODY.has(lease.name)) return undefined;
    const key = this.#nameAt(lease.name, lease.address);
    // The name of a domain is not to be had by asking for it
    if (key === undefined || this.#fixedNames.has(key) || this.zones.get(key)) return undefined;
    return { key, address: lease.address };
  }

  /** The full name of a label in the domain of the subnet that has the address. */
  #nameAt(label: string, address: Ip4): NameKey | undefined {
    const subnet = this.#subnets.find(({ cidr }) => cidrContains(cidr, address));
    return subnet && childKey(label, subnet.domain);
  }

  #addZones(domain: NameKey, reverse: readonly NameKey[] = []): void {
    const text = keyText(domain);
    const primary = `${this.#rack}.${text}`;
    const soa = compileRecords(STEADY_TTL, {
      type: 'SOA',
      data: { mname: primary, rname: `hostmaster.${text}`, ...SOA_TIMES },
    });
    const servers = compileRecords(STEADY_TTL, { type: 'NS', data: primary });
    for (const origin of [domain, ...reverse]) this.#addZone(origin, soa, servers);
  }

  #addZone(origin: NameKey, soa: RecordSet, servers: RecordSet): void {
    // Two subnets may share a domain, or the /24 of their reverse names
    if (this.zones.get(origin)) return;
    const zone = new Zone(origin, soa);
    zone.put(origin, servers);
    this.zones.add(zone);
  }

  /** The name server's own address: the rack's in the subnets of the domain, else, behind relays, any it has. */
  #placeRack(): void {
    const rack = this.#rack;
    for (const domain of this.#domains) {
      const here = rackAddresses(this.#subnets.filter((subnet) => subnet.domain === domain));
      const key = childKey(rack, domain);
      if (key === undefined) continue;
      const [first, ...rest] = here.length > 0 ? here : rackAddresses(this.#plan.subnets);
      this.#fixedNames.add(key);
      if (first !== undefined) this.#putAddresses(key, STEADY_TTL, first, ...rest);
      for (const address of here) this.#putPointer({ key, address }, STEADY_TTL);
      for (const address of here) this.#fixedAddresses.add(address);
    }
  }

  #placeHost(host: Host): void {
    if (host.address === undefined || this.#fixedAddresses.has(host.address)) return;
    const key = this.#nameAt(host.name, host.address);
    if (key === undefined || this.#fixedNames.has(key)) return;
    this.#fixedNames.add(key);
    this.#fixedAddresses.add(host.address);
    this.#putPair({ key, address: host.address }, STEADY_TTL);
  }

  #placeName({ name, ttlSeconds: ttl, addresses, addresses6, alias }: WrittenName): void {
    const key = nameKey(name);
    if (this.#fixedNames.has(key)) return;
    this.#fixedNames.add(key);
    if (alias !== undefined) this.#put(key, compileData(TYPE.CNAME, ttl, [nameKey(alias)]));
    if (addresses.length > 0) this.#put(key, compileData(TYPE.A, ttl, addresses.map(addressData)));
    if (addresses6.length > 0) this.#put(key, compileData(TYPE.AAAA, ttl, addresses6));
    for (const address of addresses) this.#callBy({ key, ttl }, address);
  }

  #callBy(pointer: Pointer, address: Ip4): void {
    if (this.#fixedAddresses.has(address) || this.#pointers.has(address)) return;
    if (!this.#subnets.some(({ cidr }) => cidrContains(cidr, address))) return;
    this.#pointers.set(address, pointer);
    this.#putPointer({ key: pointer.key, address }, pointer.ttl);
  }

  #putPair(place: Place, ttl: number): void {
    this.#putAddresses(place.key, ttl, place.address);
    this.#putPointer(place, ttl);
  }

  #removePair(place: Place): void {
    this.#remove(place.key, TYPE.A);
    const pointer = this.#pointers.get(place.address);
    if (pointer) return this.#putPointer({ key: pointer.key, address: place.address }, pointer.ttl);
    for (const key of this.#reverseKeys(place.address)) this.#remove(key, TYPE.PTR);
  }

  #putAddresses(key: NameKey, ttl: number, first: Ip4, ...rest: readonly Ip4[]): void {
    this.#put(key, compileData(TYPE.A, ttl, [first, ...rest].map(addressData)));
  }

  #putPointer(place: Place, ttl: number): void {
    const pointer = compileData(TYPE.PTR, ttl, [place.key]);
    for (const key of this.#reverseKeys(place.address)) this.#put(key, pointer);
  }

  /** The name an address has in in-addr.arpa, and the one that a parent's CNAME leads to (RFC 2317 §4). */
  #reverseKeys(address: Ip4): NameKey[] {
    const cidr = this.#subnets.find((subnet) => cidrContains(subnet.cidr, address))?.cidr;
    const classless = cidr && classlessKey(cidr, address);
    return classless ? [reverseKey(address), classless] : [reverseKey(address)];
  }

  #put(key: NameKey, set: RecordSet): void {
    const zone = this.zones.find(key);
    if (!zone) return;
    zone.put(key, set);
    this.#changed.add(zone);
  }

  #remove(key: NameKey, type: number): void {
    const zone = this.zones.find(key);
    if (!zone) return;
    zone.remove(key, type);
    this.#changed.add(zone);
  }
}

/** The four octets of an A record. */
function addressData(address: Ip4): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

function rackAddresses(subnets: readonly { readonly rackAddress?: Ip4 }[]): Ip4[] {
  return subnets.map(({ rackAddress }) => rackAddress).filter((address) => address !== undefined);
}

/** The first label of the rack's name: it may be a full host name. */
function rackLabel(name: string): string {
  const label = name.split('.', 1)[0]?.toLowerCase() ?? '';
  return HOST_LABEL.test(label) ? label : 'rack';
}

/** Subnets with names to serve; a domain too long for the names of its SOA has none. */
function namedSubnets(plan: Plan, rack: string): NamedSubnet[] {
  return plan.subnets.flatMap((subnet) => {
    if (subnet.management !== 'dhcp+dns' || subnet.domain === undefined) return [];
    return servable(subnet.domain, rack).map((domain) => ({ ...subnet, domain }));
  });
}

function furtherDomains({ dns }: Plan, rack: string): NameKey[] {
  return dns.domains.flatMap((domain) => servable(domain, rack));
}

/** The key of a domain, if there is room for the names of its SOA. */
function servable(domain: string, rack: string): NameKey[] {
  const key = nameKey(domain);
  return childKey(rack, key) && childKey('hostmaster', key) ? [key] : [];
}
