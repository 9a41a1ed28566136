import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { rangeContains } from '../addr/range.ts';
import type { Host, Plan, Subnet } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { Grievance } from '../service/watch-letters.ts';

/** A machine with more addresses than this answers for those of others. */
const MOST_ADDRESSES = 16;

/** What a pair is judged by. */
export interface Ground {
  /** Who has an address by lease, running or kept. */
  readonly lease: (address: Ip4) => LeaseFact | undefined;
  /** Whether one of our own cards has this MAC. */
  readonly isOurs: (mac: Mac) => boolean;
  /** With how many addresses it is known. */
  readonly spread: (mac: Mac) => number;
  /** Whether it was seen with this address lately. */
  readonly wasSeen: (mac: Mac, address: Ip4) => boolean;
  /** Whether it is the only one that is known with this address. */
  readonly isAlone: (mac: Mac, address: Ip4) => boolean;
}

/** What a Plan says of addresses, by interface. */
export class Judge {
  readonly #subnets: ReadonlyMap<string, readonly Subnet[]>;
  readonly #ownerOf: ReadonlyMap<Ip4, Host>;
  readonly #hostOf: ReadonlyMap<Mac, Host>;
  readonly #byName: ReadonlyMap<string, Host>;

  constructor({ subnets, hosts }: Pick<Plan, 'subnets' | 'hosts'>) {
    const devices = new Map<string, Subnet[]>();
    for (const subnet of subnets) {
      const { interface: device, management } = subnet;
      if (device === undefined || management === 'none') continue;
      devices.set(device, [...(devices.get(device) ?? []), subnet]);
    }
    this.#subnets = devices;
    this.#ownerOf = new Map(hosts.flatMap((host) => (host.address === undefined ? [] : [[host.address, host]])));
    this.#hostOf = new Map(hosts.flatMap((host) => host.macs.map((mac) => [mac, host] as const)));
    this.#byName = new Map(hosts.map((host) => [host.name, host]));
  }

  /** The interfaces that are watched. */
  get devices(): ReadonlySet<string> {
    return new Set(this.#subnets.keys());
  }

  subnetsOf(device: string): readonly Subnet[] {
    return this.#subnets.get(device) ?? [];
  }

  subnetOf(device: string, address: Ip4): Subnet | undefined {
    return this.#subnets.get(device)?.find(({ cidr }) => cidrContains(cidr, address));
  }

  /** Whether the file or a lease says that this address is this machine's. */
  vouches(mac: Mac, address: Ip4, { lease }: Pick<Ground, 'lease'>): boolean {
    const holder = lease(address);
    return (
      this.#ownerOf.get(address)?.macs.includes(mac) === true || (holder !== undefined && this.#isLessee(holder, mac))
    );
  }

  /** Whether both are cards of one host. */
  isOneHost(one: Mac, other: Mac): boolean {
    const host = this.#hostOf.get(one);
    return host !== undefined && host === this.#hostOf.get(other);
  }

  /** Whether somebody may be given this address. */
  isLent(device: string, address: Ip4): boolean {
    const subnet = this.subnetOf(device, address);
    if (!subnet || subnet.management === 'proxy') return false;
    const ranges = [subnet.dynamic, subnet.static, ...(subnet.pools ?? []).map(({ range }) => range)];
    return this.#ownerOf.has(address) || ranges.some((range) => range && rangeContains(range, address));
  }

  /** What is wrong with a machine that uses an address on this interface; undefined: nothing. */
  judge(device: string, mac: Mac, address: Ip4, ground: Ground): Grievance | undefined {
    const subnet = this.subnetOf(device, address);
    if (!subnet || ground.isOurs(mac)) return undefined;
    if (this.subnetsOf(device).some(({ rackAddress }) => rackAddress === address)) return { kind: 'own-address' };
    // Where another server gives the addresses, only that one knows
    if (subnet.management === 'proxy' || address === subnet.router) return undefined;
    if (this.vouches(mac, address, ground)) return undefined;
    const other = this.#otherHolder(address, ground);
    if (!this.answersForMany(mac, ground))
      return other ?? this.#strayed(mac, subnet, ground) ?? this.#squats(device, address);
    if (this.isProxy(device, mac, ground)) return undefined;
    return (other ?? this.#squats(device, address)) && { kind: 'many-addresses' };
  }

  /** Whether it has more addresses than any machine of its own. */
  answersForMany(mac: Mac, { spread }: Pick<Ground, 'spread'>): boolean {
    return spread(mac) > MOST_ADDRESSES;
  }

  /** Whether it is the router that the file names, and answers for whatever it is asked (proxy ARP): what it says of an address is no news. */
  isProxy(device: string, mac: Mac, ground: Pick<Ground, 'spread' | 'isAlone'>): boolean {
    const routers = this.subnetsOf(device).flatMap(({ router }) => (router === undefined ? [] : [router]));
    return this.answersForMany(mac, ground) && routers.some((router) => ground.isAlone(mac, router));
  }

  #otherHolder(address: Ip4, { lease }: Ground): Grievance | undefined {
    const owner = this.#ownerOf.get(address);
    if (owner) return { kind: 'host-address', host: owner.name };
    const lessee = lease(address);
    return lessee && { kind: 'leased-address', other: lessee.mac };
  }

  #squats(device: string, address: Ip4): Grievance | undefined {
    return this.isLent(device, address) ? { kind: 'squatted' } : undefined;
  }

  /** A second address beside its own is its own business. */
  #strayed(mac: Mac, { cidr }: Subnet, { wasSeen }: Ground): Grievance | undefined {
    const host = this.#hostOf.get(mac);
    const wanted = host?.address;
    if (!host || wanted === undefined || !cidrContains(cidr, wanted) || wasSeen(mac, wanted)) return undefined;
    return { kind: 'wrong-address', host: host.name, wanted };
  }

  #isLessee({ mac: lessee, host, name }: LeaseFact, mac: Mac): boolean {
    const named = host && name !== undefined ? this.#byName.get(name) : undefined;
    return lessee === mac || this.isOneHost(lessee, mac) || named?.macs.includes(mac) === true;
  }
}
