import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Host, Plan, Subnet } from '../plan/plan.ts';

/** What a Plan says of single machines, names and addresses: the hosts, and what nobody may be given. */
export class HostIndex {
  readonly #byMac: ReadonlyMap<Mac, Host>;
  readonly #byAddress: ReadonlyMap<Ip4, Host>;
  readonly #names: ReadonlySet<string>;
  /** Somebody else's whatever the ranges say: the racks' own addresses and the routers. */
  readonly #reserved: ReadonlySet<Ip4>;

  constructor({ hosts, subnets }: Pick<Plan, 'hosts' | 'subnets'>) {
    this.#byMac = new Map(hosts.flatMap((host) => host.macs.map((mac) => [mac, host] as const)));
    this.#byAddress = new Map(hosts.flatMap((host) => (host.address === undefined ? [] : [[host.address, host]])));
    this.#names = new Set(hosts.map((host) => host.name));
    const reserved = subnets.flatMap(({ rackAddress, router }) => [rackAddress, router]);
    this.#reserved = new Set(reserved.filter((address) => address !== undefined));
  }

  of(mac: Mac): Host | undefined {
    return this.#byMac.get(mac);
  }

  /** The host that `address` is written down for. */
  ownerOf(address: Ip4): Host | undefined {
    return this.#byAddress.get(address);
  }

  /** A host's written address, on the subnet where it makes sense. */
  fixedAddress(mac: Mac, { cidr }: Subnet): Ip4 | undefined {
    const address = this.of(mac)?.address;
    return address !== undefined && cidrContains(cidr, address) ? address : undefined;
  }

  hasName(name: string): boolean {
    return this.#names.has(name);
  }

  isReserved(address: Ip4): boolean {
    return this.#reserved.has(address);
  }
}
