import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';

/** The one zone of every scenario. */
export const ORIGIN = 'bench.example';
/** Longer than any run, so that nothing cached ends in it. */
const TTL = 86_400;
const FIRST_ADDRESS = 0x0a_01_00_00;
/** dnsperf asks a file over and over; so many lines are more than a server could learn by their order. */
const LEAST_QUESTIONS = 50_000;

export interface DnsScenario {
  readonly name: string;
  readonly title: string;
  /** Where rackboot has the names from; `forward`: every server asks an upstream for them, and then has them in its cache. */
  readonly kind: 'hosts' | 'zone' | 'forward';
  readonly names: number;
  /** Of the questions, how many are for names that are not there: no name twice, as from a search list or a guesser. */
  readonly absent: number;
  /** That answer by UDP. */
  readonly threads: number;
}

export const SCENARIOS: readonly DnsScenario[] = [
  { name: 'hosts', title: '1,000 hosts of the rack', kind: 'hosts', names: 1_000, absent: 0, threads: 1 },
  { name: 'small', title: 'a zone of 1,000 names', kind: 'zone', names: 1_000, absent: 0, threads: 1 },
  { name: 'large', title: 'a zone of 100,000 names', kind: 'zone', names: 100_000, absent: 0, threads: 1 },
  { name: 'absent', title: '1,000 names, 10 % NXDOMAIN', kind: 'zone', names: 1_000, absent: 0.1, threads: 1 },
  {
    name: 'cache',
    title: 'forwarding, 10,000 names in the cache',
    kind: 'forward',
    names: 10_000,
    absent: 0,
    threads: 1,
  },
  { name: 'threads', title: 'a zone of 1,000 names, two threads', kind: 'zone', names: 1_000, absent: 0, threads: 2 },
];

/** The files of a scenario. */
export interface DnsFiles {
  /** Master file. */
  readonly zone: string;
  /** The same addresses in the form of /etc/hosts. */
  readonly hosts: string;
  /** dnsperf's input: every name, in no order. */
  readonly questions: string;
  /** Every name once, so that a cache has them all. */
  readonly everyName: string;
  /** One name that is there. */
  readonly oneName: string;
}

export interface BenchHost {
  readonly name: string;
  readonly address: string;
}

export function hostsOf({ names }: DnsScenario): BenchHost[] {
  return Array.from({ length: names }, (_, i) => ({ name: `n${i}`, address: formatIp4((FIRST_ADDRESS + i) as Ip4) }));
}

export function writeScenario(scenario: DnsScenario, directory: string): DnsFiles {
  const path = (kind: string): string => join(directory, `${scenario.name}.${kind}`);
  const files = {
    zone: path('zone'),
    hosts: path('hosts'),
    questions: path('questions'),
    everyName: path('names'),
    oneName: path('one'),
  };
  const hosts = hostsOf(scenario);
  const names = hosts.map(({ name }) => question(name));
  writeFileSync(files.zone, masterFile(hosts));
  writeFileSync(files.hosts, hosts.map(({ name, address }) => `${address} ${name}.${ORIGIN}\n`).join(''));
  writeFileSync(files.questions, questionsOf(scenario, names).join(''));
  writeFileSync(files.everyName, names.join(''));
  writeFileSync(files.oneName, names[0] ?? '');
  return files;
}

function masterFile(hosts: readonly BenchHost[]): string {
  const head = `$ORIGIN ${ORIGIN}.
$TTL ${TTL}
@ SOA ns1 hostmaster 1 3600 600 604800 ${TTL}
@ NS ns1
ns1 A 10.0.0.1
`;
  return head + hosts.map(({ name, address }) => `${name} A ${address}\n`).join('');
}

function questionsOf({ absent }: DnsScenario, names: readonly string[]): string[] {
  const random = randomNumbers(20_261_128);
  const count = Math.max(LEAST_QUESTIONS, names.length);
  return Array.from({ length: count }, (_, i) => {
    if (random() < absent) return question(`absent-${i}`);
    return names[Math.floor(random() * names.length)] ?? '';
  });
}

function question(label: string): string {
  return `${label}.${ORIGIN} A\n`;
}

/** The same numbers from 0 to 1 in every run (Numerical Recipes' constants). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
