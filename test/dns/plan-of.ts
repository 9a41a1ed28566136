import { broadcastOf, parseCidr } from '../../src/addr/cidr.ts';
import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { parseIp6 } from '../../src/addr/ip6.ts';
import { parseMac, type Mac } from '../../src/addr/mac.ts';
import type { Host, Plan, Subnet, WrittenName } from '../../src/plan/plan.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import { NO_DNS } from '../plan/no-dns.ts';

export function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

export function macOf(text: string): Mac {
  const mac = parseMac(text);
  if (mac === undefined) throw new Error(`not a MAC: ${text}`);
  return mac;
}

/**
 * A Plan in words: "192.0.2.0/24 rack.example 192.0.2.1" is a subnet with domain ("-" for none) and, last and optional,
 * the rack's address; "node1 192.0.2.5 52:54:00:00:00:01" a host ("-" for no address); "www.rack.example 192.0.2.50
 * 2001:db8::50" a name, for a minute, and "git.rack.example = www.rack.example" an alias.
 */
export function planOf(words: {
  readonly rack?: string;
  readonly subnets: readonly string[];
  readonly hosts?: readonly string[];
  readonly domains?: readonly string[];
  readonly names?: readonly string[];
}): Plan {
  return {
    rack: { name: words.rack ?? 'rack-a1', state: '/state', control: '/control.sock' },
    subnets: words.subnets.map(subnetOf),
    hosts: (words.hosts ?? []).map(hostOf),
    boot: { files: '/files', default: 'local', entries: [], loaders: {} },
    http: { port: 5248 },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
    dns: { ...NO_DNS, domains: words.domains ?? [], names: (words.names ?? []).map(nameOf) },
    admin: { address: ip4('127.0.0.1'), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
  };
}

function subnetOf(line: string): Subnet {
  const [network = '', domain = '-', rack] = line.split(' ');
  const cidr = parseCidr(network);
  if (!cidr) throw new Error(`not a network: ${network}`);
  return {
    cidr,
    management: domain === '-' ? 'dhcp' : 'dhcp+dns',
    broadcast: broadcastOf(cidr),
    dns: [],
    leaseSeconds: 3600,
    ...(rack !== undefined && { rackAddress: ip4(rack) }),
    ...(domain !== '-' && { domain }),
  };
}

function hostOf(line: string): Host {
  const [name = '', address = '-', ...macs] = line.split(' ');
  return {
    name,
    macs: macs.map(macOf),
    boot: 'local',
    ...(address !== '-' && { address: ip4(address) }),
  };
}

function nameOf(line: string): WrittenName {
  const [name = '', ...words] = line.split(' ');
  const alias = words[0] === '=' ? words[1] : undefined;
  const addresses = alias === undefined ? words : [];
  return {
    name,
    ttlSeconds: 60,
    addresses: addresses.flatMap((word) => parseIp4(word) ?? []),
    addresses6: addresses.flatMap((word) => parseIp6(word) ?? []),
    ...(alias !== undefined && { alias }),
  };
}

/** "192.0.2.50 52:54:00:00:00:09 laptop": address, MAC and, optional, name. */
export function leaseOf(line: string): LeaseFact {
  const [address = '', mac = '', name] = line.split(' ');
  return { address: ip4(address), mac: macOf(mac), ...(name !== undefined && { name }) };
}
