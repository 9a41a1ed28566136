import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { formatRange, type Range } from '../../src/addr/range.ts';
import type { PackageNeed } from '../../src/lab/debian-packages.ts';
import { writeDhcpdLeases, writeDnsmasqLeases, writeKeaLeases, writeRackbootLeases, type Fill } from './dhcp-leases.ts';
import { prepareRackboot } from './rackboot-server.ts';
import { unconfined } from './unconfined.ts';

export const BENCH_PACKAGES: readonly PackageNeed[] = [
  { package: 'iproute2', provides: ['ip'] },
  { package: 'kea-dhcp4-server', provides: ['/usr/sbin/kea-dhcp4'] },
  { package: 'dnsmasq-base', provides: ['/usr/sbin/dnsmasq'] },
  { package: 'isc-dhcp-server', provides: ['/usr/sbin/dhcpd'] },
  { package: 'kea-admin', provides: ['perfdhcp'] },
];

/** What each server is told: one subnet, one range, leases of one hour. */
export interface Wishes {
  /** Empty at the start; the server keeps everything in it. */
  readonly directory: string;
  readonly interface: string;
  readonly range: Range;
  /** Leases of other machines that it starts with. */
  readonly fill: Fill;
}

export interface StartCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface BenchServer {
  readonly name: string;
  /** What it does before an ACK leaves. */
  readonly durability: string;
  /** Writes config and lease file, and says how to start it in the foreground. */
  prepare(wishes: Wishes): StartCommand;
}

const SUBNET = { cidr: '10.0.0.0/12', network: '10.0.0.0', netmask: '255.240.0.0' };
export const SERVER_ADDRESS = '10.0.0.1';
export const CLIENT_ADDRESS = '10.0.0.2';
export const PREFIX = 12;
const LEASE_SECONDS = 3600;

/** Each as quiet as its config allows, without the ping or ARP check of an address; nothing else differs from Debian's defaults. */
export const SERVERS: readonly BenchServer[] = [
  { name: 'rackboot', durability: 'fsync before ACK', prepare: prepareRack },
  { name: 'kea', durability: 'memfile, no fsync', prepare: prepareKea },
  { name: 'dnsmasq', durability: 'file rewritten, no fsync', prepare: prepareDnsmasq },
  { name: 'dhcpd', durability: 'fsync before ACK', prepare: prepareDhcpd },
];

function prepareRack({ directory, interface: name, range, fill }: Wishes): StartCommand {
  mkdirSync(join(directory, 'files'));
  const argv = prepareRackboot(
    directory,
    `subnets:
  - { cidr: ${SUBNET.cidr}, interface: ${name}, management: dhcp, dynamic: ${formatRange(range)}, lease: 1h, conflict-check: off }
boot: { files: ${directory}/files }
`,
  );
  if (fill.count > 0) writeRackbootLeases(join(directory, 'state', 'leases.db'), fill);
  return { argv, env: {} };
}

function prepareKea({ directory, interface: name, range, fill }: Wishes): StartCommand {
  const config = join(directory, 'kea.json');
  const leases = join(directory, 'kea-leases4.csv');
  const subnet4 = [{ id: 1, subnet: SUBNET.cidr, interface: name, pools: [{ pool: formatRange(range) }] }];
  const Dhcp4 = {
    'interfaces-config': { interfaces: [name] },
    'lease-database': { type: 'memfile', name: leases },
    'valid-lifetime': LEASE_SECONDS,
    subnet4,
    loggers: [{ name: 'kea-dhcp4', severity: 'WARN', output_options: [{ output: 'stderr' }] }],
  };
  writeFileSync(config, JSON.stringify({ Dhcp4 }));
  if (fill.count > 0) writeKeaLeases(leases, fill);
  return {
    argv: [unconfined('/usr/sbin/kea-dhcp4', directory), '-c', config],
    env: { KEA_PIDFILE_DIR: directory, KEA_LOCKFILE_DIR: directory },
  };
}

function prepareDnsmasq({ directory, interface: name, range, fill }: Wishes): StartCommand {
  const config = join(directory, 'dnsmasq.conf');
  const leases = join(directory, 'dnsmasq.leases');
  const lines = [
    'port=0',
    `interface=${name}`,
    `dhcp-range=${formatIp4(range.first)},${formatIp4(range.last)},${SUBNET.netmask},1h`,
    'dhcp-lease-max=1000000',
    'dhcp-authoritative',
    'no-ping',
    'quiet-dhcp',
    `dhcp-leasefile=${leases}`,
    `pid-file=${directory}/dnsmasq.pid`,
    'log-facility=-',
    'keep-in-foreground',
    // It would become dnsmasq:dip, which may not write here
    'user=root',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  if (fill.count > 0) writeDnsmasqLeases(leases, fill);
  return { argv: [unconfined('/usr/sbin/dnsmasq', directory), '-C', config], env: {} };
}

function prepareDhcpd({ directory, interface: name, range, fill }: Wishes): StartCommand {
  const [config, leases] = [join(directory, 'dhcpd.conf'), join(directory, 'dhcpd.leases')];
  writeFileSync(
    config,
    `authoritative;
ddns-update-style none;
ping-check false;
default-lease-time ${LEASE_SECONDS};
max-lease-time ${LEASE_SECONDS};
subnet ${SUBNET.network} netmask ${SUBNET.netmask} { range ${formatRange(range).replace('-', ' ')}; }
`,
  );
  // It refuses to start without the file
  writeDhcpdLeases(leases, fill);
  const pidFile = join(directory, 'dhcpd.pid');
  return {
    argv: [
      unconfined('/usr/sbin/dhcpd', directory),
      '-4',
      '-f',
      '-q',
      '-cf',
      config,
      '-lf',
      leases,
      '-pf',
      pidFile,
      name,
    ],
    env: {},
  };
}
