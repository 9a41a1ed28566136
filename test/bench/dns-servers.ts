import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { formatMac, type Mac } from '../../src/addr/mac.ts';
import type { PackageNeed } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { hostsOf, ORIGIN, type DnsFiles, type DnsScenario } from './dns-scenarios.ts';
import { SERVER_ADDRESS } from './file-servers.ts';
import { prepareRackboot } from './rackboot-server.ts';
import { UPSTREAM_ADDRESS } from './transfer-ground.ts';
import { unconfined } from './unconfined.ts';

export const DNS_BENCH_PACKAGES: readonly PackageNeed[] = [
  { package: 'iproute2', provides: ['ip'] },
  { package: 'dnsperf', provides: ['dnsperf'] },
  { package: 'knot', provides: ['/usr/sbin/knotd'] },
  { package: 'nsd', provides: ['/usr/sbin/nsd'] },
  { package: 'bind9', provides: ['/usr/sbin/named'] },
  { package: 'dnsmasq-base', provides: ['/usr/sbin/dnsmasq'] },
  { package: 'unbound', provides: ['/usr/sbin/unbound'] },
];

/** What a server is told. `directory` is its own, and empty at the start. */
export interface DnsWishes {
  readonly directory: string;
  readonly scenario: DnsScenario;
  readonly files: DnsFiles;
}

type Prepare = (wishes: DnsWishes) => readonly string[];

export interface DnsServer {
  readonly name: string;
  readonly version: () => Promise<string>;
  /** It answers by one thread whatever it is told. */
  readonly isAlone?: true;
  /** Each writes its config and says how to start it in the foreground. Absent: it is no server of that kind. */
  readonly serve?: Prepare;
  readonly forward?: Prepare;
}

/**
 * Each with as many threads that answer as the scenario says, one in all but one, as its manual says for that, nothing logged for a query, no rate limit for the
 * client (rackboot has none for its own subnets), no TLS, no DNSSEC; nothing else differs from Debian's defaults.
 */
export const DNS_SERVERS: readonly DnsServer[] = [
  { name: 'rackboot', version: rackbootVersion, serve: prepareRack, forward: prepareRackForwarder },
  { name: 'knot', version: said(['knotd', '--version'], /version (\S+)/), serve: prepareKnot },
  {
    name: 'nsd',
    version: said(['nsd', '-v'], /version (\S+)/),
    serve: ({ directory, scenario, files }) => prepareNsd(directory, files, SERVER_ADDRESS, scenario.threads),
  },
  { name: 'bind', version: said(['named', '-v'], /BIND (\S+)/), serve: prepareBind },
  {
    name: 'dnsmasq',
    version: said(['dnsmasq', '--version'], /version (\S+)/),
    isAlone: true,
    serve: prepareDnsmasq,
    forward: prepareDnsmasqForwarder,
  },
  { name: 'unbound', version: said(['unbound', '-V'], /Version (\S+)/), forward: prepareUnbound },
];

/** What was unlike among them, for who reads the figures. */
export const NOT_COMPARABLE = `\
dnsmasq has no zone: it answers from a hosts file, without AA, and NXDOMAIN without SOA, in fewer bytes than the others
rackboot serves DHCP and boot files in the same process, and keeps counters by type and rcode; the others keep none that could be switched off
resident memory is that of the process that was started: NSD answers in a child of it
of the cache: neither rackboot nor dnsmasq validates, so Unbound is told not to (module-config iterator)`;

function said(argv: readonly string[], pattern: RegExp): () => Promise<string> {
  return async () => pattern.exec((await runCommand(argv)).output)?.[1] ?? 'unknown';
}

/** The version of its package and the commit. */
async function rackbootVersion(): Promise<string> {
  const root = join(import.meta.dirname, '..', '..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const commit = await runCommand(['git', 'describe', '--always', '--dirty'], { cwd: root });
  return `${version} ${commit.code === 0 ? commit.stdout.trim() : ''} (Node ${process.version})`.replace('  ', ' ');
}

const SUBNET = 'cidr: 10.0.0.0/12, interface: serve, management: dhcp+dns, dynamic: 10.2.0.0-10.2.255.255';
/** Locally administered. */
const FIRST_MAC = 0x06_00_00_00_00_00;

function prepareRack({ directory, scenario, files }: DnsWishes): readonly string[] {
  mkdirSync(join(directory, 'files'));
  const boot = `boot: { files: ${directory}/files }\n`;
  if (scenario.kind === 'zone') {
    const zones = `dns: { threads: ${scenario.threads}, zones: [{ name: ${ORIGIN}, file: ${files.zone} }] }\n`;
    return prepareRackboot(directory, `subnets:\n  - { ${SUBNET}, domain: rack.example }\n${zones}${boot}`);
  }
  const hosts = hostsOf(scenario).map(({ name, address }, i) => {
    return `  - { name: ${name}, mac: "${formatMac((FIRST_MAC + i) as Mac)}", address: ${address} }\n`;
  });
  return prepareRackboot(directory, `subnets:\n  - { ${SUBNET}, domain: ${ORIGIN} }\nhosts:\n${hosts.join('')}${boot}`);
}

function prepareRackForwarder({ directory }: DnsWishes): readonly string[] {
  mkdirSync(join(directory, 'files'));
  return prepareRackboot(
    directory,
    `subnets:
  - { ${SUBNET}, domain: rack.example }
dns: { forward: [${UPSTREAM_ADDRESS}] }
boot: { files: ${directory}/files }
`,
  );
}

function prepareKnot({ directory, scenario, files }: DnsWishes): readonly string[] {
  const config = join(directory, 'knot.conf');
  writeFileSync(
    config,
    `server:
    rundir: ${directory}
    listen: ${SERVER_ADDRESS}@53
    udp-workers: ${scenario.threads}
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: ${directory}
template:
  - id: default
    storage: ${directory}
    # A zone that nobody changes needs no journal
    journal-content: none
    zonefile-sync: -1
    semantic-checks: off
zone:
  - domain: ${ORIGIN}
    file: ${files.zone}
`,
  );
  return ['/usr/sbin/knotd', '-c', config];
}

/** It sends no additional data and no NS where `minimal-responses` lets it leave them out, as Knot and rackboot always do. */
export function prepareNsd(directory: string, files: DnsFiles, address: string, servers = 1): readonly string[] {
  const config = join(directory, 'nsd.conf');
  writeFileSync(
    config,
    `server:
  server-count: ${servers}
  reuseport: ${servers > 1 ? 'yes' : 'no'}
  ip-address: ${address}
  do-ip6: no
  minimal-responses: yes
  rrl-ratelimit: 0
  verbosity: 0
  logfile: "${directory}/nsd.log"
  username: root
  chroot: ""
  zonesdir: "${directory}"
  database: ""
  pidfile: "${directory}/nsd.pid"
  xfrdfile: "${directory}/xfrd.state"
  xfrdir: "${directory}"
  zonelistfile: "${directory}/zone.list"
  cookie-secret-file: "${directory}/cookies"
remote-control:
  control-enable: no
zone:
  name: ${ORIGIN}
  zonefile: ${files.zone}
`,
  );
  return ['/usr/sbin/nsd', '-d', '-c', config];
}

function prepareBind({ directory, scenario, files }: DnsWishes): readonly string[] {
  const config = join(directory, 'named.conf');
  writeFileSync(
    config,
    `options {
  directory "${directory}";
  pid-file "${directory}/named.pid";
  session-keyfile "${directory}/session.key";
  listen-on { ${SERVER_ADDRESS}; };
  listen-on-v6 { none; };
  recursion no;
  minimal-responses yes;
  minimal-any yes;
  notify no;
  dnssec-validation no;
  querylog no;
  zone-statistics no;
};
controls { };
logging { category default { default_stderr; }; category queries { null; }; };
zone "${ORIGIN}" { type primary; file "${files.zone}"; };
`,
  );
  // As many listeners as workers
  const threads = String(scenario.threads);
  return [unconfined('/usr/sbin/named', directory), '-f', '-n', threads, '-U', threads, '-c', config];
}

function prepareDnsmasq({ directory, files }: DnsWishes): readonly string[] {
  return prepareDnsmasqWith(directory, [
    // It is never asked what is not local, and has no need to look names up elsewhere
    'no-resolv',
    `addn-hosts=${files.hosts}`,
    `local=/${ORIGIN}/`,
    'local-ttl=86400',
    // Its hash table is made for this many; names from the file have places of their own
    'cache-size=10000',
  ]);
}

function prepareDnsmasqForwarder({ directory, scenario }: DnsWishes): readonly string[] {
  return prepareDnsmasqWith(directory, [
    'no-resolv',
    `server=${UPSTREAM_ADDRESS}`,
    `cache-size=${scenario.names * 4}`,
    'dns-forward-max=1000',
  ]);
}

function prepareDnsmasqWith(directory: string, lines: readonly string[]): readonly string[] {
  const config = join(directory, 'dnsmasq.conf');
  const place = [`listen-address=${SERVER_ADDRESS}`, 'bind-interfaces', `pid-file=${directory}/pid`, 'log-facility=-'];
  // It would become dnsmasq:dip, which may not read here
  const own = ['keep-in-foreground', 'user=root', 'no-hosts'];
  writeFileSync(config, `${[...lines, ...place, ...own].join('\n')}\n`);
  return [unconfined('/usr/sbin/dnsmasq', directory), '-C', config];
}

/** As its "Howto optimise" says for one thread: one slab, the set cache twice the message cache, larger socket buffers. */
function prepareUnbound({ directory }: DnsWishes): readonly string[] {
  const config = join(directory, 'unbound.conf');
  writeFileSync(
    config,
    `server:
  num-threads: 1
  msg-cache-slabs: 1
  rrset-cache-slabs: 1
  infra-cache-slabs: 1
  key-cache-slabs: 1
  msg-cache-size: 32m
  rrset-cache-size: 64m
  outgoing-range: 950
  so-rcvbuf: 4m
  so-sndbuf: 4m
  module-config: "iterator"
  minimal-responses: yes
  interface: ${SERVER_ADDRESS}
  access-control: 10.0.0.0/12 allow
  do-ip6: no
  verbosity: 0
  use-syslog: no
  logfile: ""
  chroot: ""
  username: ""
  directory: "${directory}"
  pidfile: "${directory}/unbound.pid"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: ${UPSTREAM_ADDRESS}
`,
  );
  return [unconfined('/usr/sbin/unbound', directory), '-d', '-c', config];
}
