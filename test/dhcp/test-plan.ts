import { broadcastOf, parseCidr } from '../../src/addr/cidr.ts';
import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { parseRange, type Range } from '../../src/addr/range.ts';
import type { Host, Loaders, Plan, Subnet } from '../../src/plan/plan.ts';
import { NO_DNS } from '../plan/no-dns.ts';

/** A subnet in words; addresses and ranges as text, null for none. */
export interface SubnetWords {
  readonly cidr?: string;
  readonly interface?: string | null;
  readonly rack?: string | null;
  readonly dynamic?: string | null;
  readonly static?: string | null;
  readonly router?: string | null;
  readonly domain?: string | null;
  readonly lease?: number;
  readonly management?: Subnet['management'];
  readonly more?: Partial<Subnet>;
}

export interface HostWords {
  readonly name: string;
  readonly macs: readonly string[];
  readonly address?: string;
  readonly clientIds?: readonly string[];
  readonly circuitIds?: readonly string[];
}

export interface PlanWords {
  readonly subnets?: readonly SubnetWords[];
  readonly hosts?: readonly HostWords[];
  readonly loaders?: Loaders;
  /** Whole names of `dns.names`. */
  readonly names?: readonly string[];
}

export const RACK = '192.168.127.1';

/** What the fixtures were captured on: rack 192.168.127.1, and the addresses they ask for in the dynamic range. */
export const LOCAL: SubnetWords = {};
/** Behind a relay, which is 10.0.7.1. */
export const RELAYED: SubnetWords = {
  cidr: '10.0.7.0/24',
  interface: null,
  rack: null,
  dynamic: '10.0.7.100-10.0.7.109',
  static: null,
  router: '10.0.7.1',
};

export function testPlan({ subnets = [LOCAL, RELAYED], hosts = [], loaders, names = [] }: PlanWords = {}): Plan {
  const bios = { path: 'undionly.kpxe', file: '/files/undionly.kpxe' };
  const uefi = { path: 'snponly.efi', file: '/files/snponly.efi' };
  return {
    rack: { name: 'rack-a1', state: '/nowhere', control: '/nowhere/control.sock' },
    subnets: subnets.map(subnetOf),
    hosts: hosts.map(hostOf),
    boot: { files: '/files', default: 'local', entries: [], loaders: loaders ?? { bios, uefi } },
    http: { port: 5248 },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
    dns: {
      ...NO_DNS,
      names: names.map((name) => ({ name, ttlSeconds: 60, addresses: [], addresses6: [] })),
    },
    admin: { address: ip4('127.0.0.1'), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
  };
}

function subnetOf(words: SubnetWords): Subnet {
  const cidr = parseCidr(words.cidr ?? '192.168.127.0/24');
  if (!cidr) throw new Error(`not a network: ${words.cidr}`);
  const device = textOr(words.interface, 'eth0');
  const rack = textOr(words.rack, RACK);
  const dynamic = textOr(words.dynamic, '192.168.127.111-192.168.127.140');
  const steady = textOr(words.static, '192.168.127.221-192.168.127.240');
  const router = textOr(words.router, '192.168.127.254');
  const domain = textOr(words.domain, 'rack.example');
  return {
    cidr,
    management: words.management ?? 'dhcp+dns',
    broadcast: broadcastOf(cidr),
    dns: [ip4(RACK)],
    leaseSeconds: words.lease ?? 3600,
    // Tests of something else want an answer at once
    conflictCheck: 'off',
    ...(device !== undefined && { interface: device }),
    ...(rack !== undefined && { rackAddress: ip4(rack) }),
    ...(dynamic !== undefined && { dynamic: range(dynamic) }),
    ...(steady !== undefined && { static: range(steady) }),
    ...(router !== undefined && { router: ip4(router) }),
    ...(domain !== undefined && { domain }),
    ...words.more,
  };
}

function textOr(text: string | null | undefined, otherwise: string): string | undefined {
  return text === undefined ? otherwise : (text ?? undefined);
}

function hostOf({ name, macs, address, ...signs }: HostWords): Host {
  return {
    name,
    macs: macs.map(mac),
    boot: 'local',
    ...signs,
    ...(address !== undefined && { address: ip4(address) }),
  };
}

export function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

export function range(text: string): Range {
  const value = parseRange(text);
  if (!value) throw new Error(`not a range: ${text}`);
  return value;
}

export function mac(text: string): Mac {
  const value = parseMac(text);
  if (value === undefined) throw new Error(`not a MAC: ${text}`);
  return value;
}
