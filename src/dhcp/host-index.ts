import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Lease } from '../leases/lease.ts';
import type { DnsSettings, Host, Plan, Subnet } from '../plan/plan.ts';

/** What a client is known by; identifiers as lower-case hex. */
export interface Signs {
  readonly mac: Mac;
  readonly clientId?: string | undefined;
  readonly circuitId?: string | undefined;
}

/** What a Plan says of single machines, names and addresses: the hosts, and what nobody may be given. */
export class HostIndex {
  readonly #byMac: ReadonlyMap<Mac, Host>;
  readonly #byClientId: ReadonlyMap<string, Host>;
  readonly #byCircuitId: ReadonlyMap<string, Host>;
  readonly #byAddress: ReadonlyMap<Ip4, Host>;
  readonly #names: ReadonlyMap<string, Host>;
  /** Whole names that DNS has for others than machines: those of the file, and domains. */
  readonly #writtenNames: ReadonlySet<string>;
  /** Somebody else's whatever the ranges say: the racks' own addresses and the routers. */
  readonly #reserved: ReadonlySet<Ip4>;

  constructor({
    hosts,
    subnets,
    dns,
  }: Pick<Plan, 'hosts' | 'subnets'> & { readonly dns: Pick<DnsSettings, 'names' | 'domains'> }) {
    this.#byMac = new Map(hosts.flatMap((host) => host.macs.map((mac) => [mac, host] as const)));
    this.#byClientId = new Map(hosts.flatMap((host) => (host.clientIds ?? []).map((id) => [id, host] as const)));
    this.#byCircuitId = new Map(hosts.flatMap((host) => (host.circuitIds ?? []).map((id) => [id, host] as const)));
    this.#byAddress = new Map(hosts.flatMap((host) => (host.address === undefined ? [] : [[host.address, host]])));
    this.#names = new Map(hosts.map((host) => [host.name, host]));
    const domains = [...dns.domains, ...subnets.flatMap(({ domain }) => domain ?? [])];
    this.#writtenNames = new Set([...domains, ...dns.names.map(({ name }) => name)]);
    const reserved = subnets.flatMap(({ rackAddress, router }) => [rackAddress, router]);
    this.#reserved = new Set(reserved.filter((address) => address !== undefined));
  }

  /** Whether any host is known by the port it is on. */
  get knowsPorts(): boolean {
    return this.#byCircuitId.size > 0;
  }

  /** The host a client is: by its MAC, else by what it calls itself, else by the port it is on. */
  of({ mac, clientId, circuitId }: Signs): Host | undefined {
    const byMac = this.#byMac.get(mac);
    if (byMac) return byMac;
    const byClientId = clientId === undefined ? undefined : this.#byClientId.get(clientId);
    return byClientId ?? (circuitId === undefined ? undefined : this.#byCircuitId.get(circuitId));
  }

  /** By which of its signs a client is the host that `of` says. */
  signOf(signs: Signs): 'mac' | 'client-id' | 'circuit-id' | undefined {
    const host = this.of(signs);
    if (!host) return undefined;
    if (this.#byMac.get(signs.mac) === host) return 'mac';
    return this.#byClientId.get(signs.clientId ?? '') === host ? 'client-id' : 'circuit-id';
  }

  /** The host whose lease this is. One known by another sign than its MAC is told by its name: nobody else is given it. */
  ofLease({ mac, name, kept, address }: Pick<Lease, 'mac' | 'name' | 'kept' | 'address'>): Host | undefined {
    const byMac = this.#byMac.get(mac);
    const named = name === undefined ? undefined : this.#names.get(name);
    if (byMac || !named || !(named.clientIds ?? named.circuitIds)) return byMac;
    // The name alone may be older than the host
    return kept || named.address === address ? named : undefined;
  }

  /** The host that `address` is written down for. */
  ownerOf(address: Ip4): Host | undefined {
    return this.#byAddress.get(address);
  }

  /** A host's written address, on the subnet where it makes sense. */
  fixedAddress(host: Host | undefined, { cidr }: Subnet): Ip4 | undefined {
    const address = host?.address;
    return address !== undefined && cidrContains(cidr, address) ? address : undefined;
  }

  hasName(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether DNS has this name, in the domain of this subnet, for something else than a machine. */
  isWritten(name: string, { domain }: Subnet): boolean {
    return domain !== undefined && this.#writtenNames.has(`${name}.${domain}`);
  }

  isReserved(address: Ip4): boolean {
    return this.#reserved.has(address);
  }
}
