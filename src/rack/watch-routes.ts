import type { Context } from 'koa';

import { parseCidr } from '../addr/cidr.ts';
import { formatIp4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type {
  ConflictFact,
  ConflictKind,
  DhcpServerFact,
  NeighbourFact,
  WatchAnswer,
} from '../service/watch-letters.ts';
import type { Rack } from './rack.ts';
import type { Vendors } from './vendors.ts';

/** A neighbour as `rackboot neighbours --json` prints it; times are ISO 8601. */
export interface NeighbourLine {
  readonly address: string;
  readonly mac: string;
  readonly interface: string;
  /** "100", or "7.100" of one VLAN in another. */
  readonly vlan?: string;
  /** A host's, or that of a lease. */
  readonly name?: string;
  readonly vendor?: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** False: it was heard and did not answer yet, or can't be asked. */
  readonly known: boolean;
}

export interface ConflictLine {
  readonly conflict: ConflictKind;
  readonly address: string;
  readonly mac: string;
  readonly vendor?: string;
  readonly interface: string;
  readonly other?: string;
  readonly host?: string;
  readonly wanted?: string;
  readonly since: string;
}

export interface DhcpServerLine {
  readonly address: string;
  readonly interface: string;
  readonly mac?: string;
  readonly vendor?: string;
  readonly offered?: string;
  readonly router?: string;
  readonly bootFile?: string;
  readonly since: string;
  readonly lastSeen: string;
}

export interface NeighbourReport {
  readonly neighbours: readonly NeighbourLine[];
  readonly conflicts: readonly ConflictLine[];
  /** DHCP servers that are neither ours nor known. */
  readonly dhcpServers: readonly DhcpServerLine[];
  readonly scan?: { readonly asked: number; readonly answered: number };
}

/** What the routes of neighbours share. */
export class WatchRoutes {
  readonly #vendors: Pick<Vendors, 'of'>;

  constructor(vendors: Pick<Vendors, 'of'>) {
    this.#vendors = vendors;
  }

  /** `GET /neighbours` */
  async list(context: Context, rack: Rack): Promise<void> {
    this.#answer(context, rack, await rack.watch({ kind: 'list' }));
  }

  /** `POST /neighbours/scan?subnet=CIDR`, or without it on all: answers when the last machine may have answered. */
  async scan(context: Context, rack: Rack): Promise<void> {
    const { subnet: text } = context.query;
    const subnet = typeof text === 'string' ? parseCidr(text) : undefined;
    if (text !== undefined && !subnet) return refuse(context, 400, 'expected subnet=192.168.127.0/24');
    this.#answer(context, rack, await rack.watch({ kind: 'scan', ...(subnet && { subnet }) }));
  }

  #answer(context: Context, rack: Rack, { neighbours, conflicts, servers, scan, fault }: WatchAnswer): void {
    if (fault !== undefined) return refuse(context, 409, fault);
    const hostOf = new Map(rack.plan.hosts.flatMap((host) => host.macs.map((mac) => [mac, host.name] as const)));
    const report: NeighbourReport = {
      neighbours: neighbours.toSorted(byPlace).map((fact) => this.#neighbourLine(hostOf, rack, fact)),
      conflicts: conflicts.map((fact) => this.#conflictLine(fact)),
      dhcpServers: servers.map((fact) => this.#serverLine(fact)),
      ...(scan && { scan }),
    };
    context.body = report;
  }

  #neighbourLine(hostOf: ReadonlyMap<Mac, string>, { leases }: Rack, fact: NeighbourFact): NeighbourLine {
    const { address, mac, vlan, innerVlan } = fact;
    const lease = leases.holder(address);
    const name = hostOf.get(mac) ?? (lease?.mac === mac ? lease.name : undefined);
    return {
      address: formatIp4(address),
      mac: formatMac(mac),
      interface: fact.interface,
      ...(vlan !== 0 && { vlan: innerVlan === 0 ? `${vlan}` : `${vlan}.${innerVlan}` }),
      ...(name !== undefined && { name }),
      ...this.#vendor(mac),
      firstSeen: timeOf(fact.firstSeen),
      lastSeen: timeOf(fact.lastSeen),
      known: fact.isKnown,
    };
  }

  #conflictLine({ address, mac, interface: device, grievance, since }: ConflictFact): ConflictLine {
    return {
      conflict: grievance.kind,
      address: formatIp4(address),
      mac: formatMac(mac),
      ...this.#vendor(mac),
      interface: device,
      ...('other' in grievance && { other: formatMac(grievance.other) }),
      ...('host' in grievance && { host: grievance.host }),
      ...('wanted' in grievance && { wanted: formatIp4(grievance.wanted) }),
      since: timeOf(since),
    };
  }

  #serverLine({
    address,
    interface: device,
    mac,
    offered,
    router,
    bootFile,
    since,
    lastSeen,
  }: DhcpServerFact): DhcpServerLine {
    return {
      address: formatIp4(address),
      interface: device,
      ...(mac !== undefined && { mac: formatMac(mac), ...this.#vendor(mac) }),
      ...(offered !== undefined && { offered: formatIp4(offered) }),
      ...(router !== undefined && { router: formatIp4(router) }),
      ...(bootFile !== undefined && { bootFile }),
      since: timeOf(since),
      lastSeen: timeOf(lastSeen),
    };
  }

  #vendor(mac: Mac): { vendor?: string } {
    const vendor = this.#vendors.of(mac);
    return vendor === undefined ? {} : { vendor };
  }
}

function byPlace(a: NeighbourFact, b: NeighbourFact): number {
  if (a.interface !== b.interface) return a.interface < b.interface ? -1 : 1;
  return a.vlan - b.vlan || a.innerVlan - b.innerVlan || a.address - b.address || a.firstSeen - b.firstSeen;
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function refuse(context: Context, status: number, reason: string): void {
  context.status = status;
  context.body = `${reason}\n`;
}
