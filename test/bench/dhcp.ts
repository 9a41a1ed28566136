import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { once } from 'node:events';

import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { buildRackboot } from './build-rackboot.ts';
import { BENCH_PACKAGES, SERVERS, type BenchServer } from './dhcp-servers.ts';
import {
  CLIENT_CORE,
  DhcpGround,
  MOST_LOSS,
  NotServingError,
  SERVER_CORE,
  type DhcpTrial,
  type Scenario,
} from './dhcp-trial.ts';
import { median, percentile } from './median.ts';
import { findHighest } from './rate-search.ts';

const WIDE = { first: ip4('10.4.0.0'), last: ip4('10.7.255.255') };
const HALF_MILLION = { first: ip4('10.4.0.0'), last: ip4('10.11.255.255') };
const SLASH_16 = { first: ip4('10.1.0.0'), last: ip4('10.1.255.255') };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  empty: { range: SLASH_16, fill: { first: SLASH_16.first, count: 0 }, clients: 30_000 },
  leases: { range: WIDE, fill: { first: WIDE.first, count: 100_000 }, clients: 60_000 },
  /**
   * 5,288 addresses are free, a few more than perfdhcp's machines want in both its runs together; with fewer machines each
   * would ask so often that rackboot takes it for a broken one.
   */
  full: { range: HALF_MILLION, fill: { first: HALF_MILLION.first, count: 519_000 }, clients: 2_600 },
};

/** At these rates CPU and delay are compared, of whoever can serve so many. */
const FIXED_RATES = [100, 500, 2_000];
const FIRST_RATE = 1_000;
const LOWEST_RATE = 10;
const HIGHEST_RATE = 200_000;

interface DhcpBenchOptions {
  readonly quick: boolean;
  readonly scenario: string;
  /** Only these servers; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly precision: number;
}

interface Figures {
  readonly server: BenchServer;
  /** The best trial of each round. */
  readonly highest: DhcpTrial[];
  /** One trial a round at each fixed rate. */
  readonly fixed: Map<number, DhcpTrial[]>;
}

/** rackboot and its peers, side by side: how many machines get an address in a second, at what cost and after what delay. */
export async function benchDhcp({ quick, scenario: name, only, json }: DhcpBenchOptions): Promise<void> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`scenario: expected ${Object.keys(SCENARIOS).join(' | ')}, found ${name}`);
  await ensurePackages(BENCH_PACKAGES, console.log);
  await buildRackboot();
  const pace = quick
    ? { rounds: 1, seconds: 3, warmUpSeconds: 3, precision: 1.1 }
    : { rounds: 3, seconds: 4, warmUpSeconds: 4, precision: 1.06 };
  const servers = SERVERS.filter((server) => only.length === 0 || only.includes(server.name));
  const figures = servers.map((server): Figures => ({ server, highest: [], fixed: new Map() }));
  const ground = await DhcpGround.open();
  const loads = [loadavg()];
  try {
    await Promise.race([measureAll(ground, scenario, figures, pace, loads), untilInterrupted()]);
  } finally {
    await ground.close();
  }
  report(name, figures, pace, loads);
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify(await summary(name, figures, pace, loads), null, 2)}\n`);
}

async function untilInterrupted(): Promise<never> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const signal = await Promise.race(signals.map(async (name) => once(process, name).then(() => name)));
  // What is under way must not begin anything new after the ground is gone
  process.once('beforeExit', () => process.exit(130));
  throw new Error(`interrupted by ${signal}: no figures`);
}

async function measureAll(
  ground: DhcpGround,
  scenario: Scenario,
  figures: readonly Figures[],
  pace: Pace,
  loads: number[][],
): Promise<void> {
  for (let round = 1; round <= pace.rounds; round++) {
    for (const { server, highest } of figures) {
      const best = await searchRate(ground, scenario, server, highest, pace).catch((error: unknown) => {
        // With many leases some are not up within any time that an operator would wait
        if (error instanceof NotServingError) console.log(error.message);
        else throw error;
      });
      if (best) highest.push(best);
      console.log(`round ${round}: ${server.name} ${best ? `${Math.round(best.rate)} DORA/s` : 'passed at no rate'}`);
    }
    for (const rate of FIXED_RATES) {
      for (const figure of figures) await measureFixed(ground, scenario, figure, rate, pace);
    }
    loads.push(loadavg());
  }
}

/** The first round looks everywhere, the later ones around what was found; a rate fails when it fails twice. */
function searchRate(
  ground: DhcpGround,
  scenario: Scenario,
  server: BenchServer,
  earlier: readonly DhcpTrial[],
  { seconds, warmUpSeconds, precision }: Pace,
): Promise<DhcpTrial | undefined> {
  const tryRate = async (rate: number): Promise<DhcpTrial> => {
    const settings = { rate, seconds, warmUpSeconds, isTimed: false };
    const first = await ground.run(server, scenario, settings);
    return first.passed || first.loss > 10 * MOST_LOSS ? first : ground.run(server, scenario, settings);
  };
  const found = earlier.at(-1)?.rate;
  const limits = { precision, lowest: LOWEST_RATE, highest: HIGHEST_RATE };
  return findHighest(tryRate, { start: found ?? FIRST_RATE, step: found === undefined ? 2 : 1.2, ...limits });
}

async function measureFixed(
  ground: DhcpGround,
  scenario: Scenario,
  { server, highest, fixed }: Figures,
  rate: number,
  { seconds, warmUpSeconds }: Pace,
): Promise<void> {
  const most = highest[0]?.rate ?? 0;
  if (rate > most) return;
  const trial = await ground.run(server, scenario, {
    rate,
    seconds,
    warmUpSeconds,
    warmUpRate: most / 2,
    isTimed: true,
  });
  fixed.set(rate, [...(fixed.get(rate) ?? []), trial]);
}

function report(scenario: string, figures: readonly Figures[], pace: Pace, loads: readonly number[][]): void {
  const minute = loads.map(([one = 0]) => one.toFixed(2)).join(', ');
  console.log(`
perfdhcp as a relay over a veth pair, scenario ${scenario}; every run with fresh MACs and a fresh server, ${pace.seconds} s after ${pace.warmUpSeconds} s of warming up at the same rate, as compiled code comes with use
server on core ${SERVER_CORE}, perfdhcp on core ${CLIENT_CORE}; median of ${pace.rounds}, alternating; load average (1 min) before and after each round: ${minute}

highest rate with less than ${MOST_LOSS * 100} % loss
`);
  for (const { server, highest } of figures)
    console.log(`  ${server.name.padEnd(9)} ${highestLine(highest)}  ${server.durability}`);
  for (const line of ratioLines(figures)) console.log(`  ${line}`);
  for (const rate of FIXED_RATES) {
    console.log(`\nat ${rate} DORA/s: CPU; DISCOVER to OFFER, REQUEST to ACK`);
    for (const { server, fixed } of figures) console.log(`  ${server.name.padEnd(9)} ${fixedLine(fixed.get(rate))}`);
  }
}

function highestLine(trials: readonly DhcpTrial[]): string {
  if (trials.length === 0) return 'passed at no rate';
  const rates = trials.map(({ rate }) => Math.round(rate));
  const cpu = median(trials.map((trial) => trial.cpuMicroseconds));
  const middle = Math.round(median(rates)).toLocaleString('en').padStart(7);
  return `${middle} DORA/s (${Math.min(...rates)}–${Math.max(...rates)})  ${cpu.toFixed(0).padStart(5)} µs CPU a DORA${threadNote(trials)}`;
}

function fixedLine(trials: readonly DhcpTrial[] = []): string {
  if (trials.length === 0) return 'can not';
  const cpu = median(trials.map((trial) => trial.cpuMicroseconds)).toFixed(0);
  const { offer, ack } = delaysOf(trials);
  const loss = (100 * median(trials.map((trial) => trial.loss))).toFixed(1);
  return `${cpu.padStart(6)} µs  p50 ${offer.p50} p99 ${offer.p99} ms,  p50 ${ack.p50} p99 ${ack.p99} ms  loss ${loss} %${threadNote(trials)}`;
}

/** Of a server with several busy threads, who used the CPU. */
function threadNote(trials: readonly DhcpTrial[]): string {
  const names = new Set(trials.flatMap((trial) => Object.keys(trial.threads)));
  const shares = [...names].map((name) => ({ name, cpu: median(trials.map((trial) => trial.threads[name] ?? 0)) }));
  const busy = shares.filter(({ cpu }) => cpu >= 1).toSorted((a, b) => b.cpu - a.cpu);
  return busy.length < 2 ? '' : ` (${busy.map(({ name, cpu }) => `${name} ${cpu.toFixed(0)}`).join(', ')})`;
}

interface Delays {
  readonly p50: string;
  readonly p99: string;
}

function delaysOf(trials: readonly DhcpTrial[]): { offer: Delays; ack: Delays } {
  const middle = (pick: (trial: DhcpTrial) => readonly number[]): Delays => {
    const at = (share: number): string => median(trials.map((trial) => percentile(pick(trial), share))).toFixed(2);
    return { p50: at(0.5), p99: at(0.99) };
  };
  return { offer: middle((trial) => trial.offerDelays), ack: middle((trial) => trial.ackDelays) };
}

/** The first server against whichever other one is best. */
function ratioLines([own, ...peers]: readonly Figures[]): string[] {
  const rate = ({ highest }: Figures): number => median(highest.map((trial) => trial.rate));
  const cpu = ({ highest }: Figures): number => median(highest.map((trial) => trial.cpuMicroseconds));
  const able = peers.filter((peer) => peer.highest.length > 0);
  const [fastest, leanest] = [
    able.toSorted((a, b) => rate(b) - rate(a))[0],
    able.toSorted((a, b) => cpu(a) - cpu(b))[0],
  ];
  if (!own || own.highest.length === 0 || !fastest || !leanest) return [];
  return [
    `${own.server.name} / ${fastest.server.name}: ${(rate(own) / rate(fastest)).toFixed(2)} × the rate`,
    `${own.server.name} / ${leanest.server.name}: ${(cpu(own) / cpu(leanest)).toFixed(2)} × the CPU a DORA`,
  ];
}

async function summary(
  scenario: string,
  figures: readonly Figures[],
  pace: Pace,
  loads: readonly number[][],
): Promise<unknown> {
  const packages = BENCH_PACKAGES.map((need) => need.package);
  const { stdout } = await runCommand(['dpkg-query', '-W', '-f', '${Package} ${Version}\n', ...packages]);
  return {
    scenario,
    ...pace,
    serverCore: SERVER_CORE,
    clientCore: CLIENT_CORE,
    node: process.version,
    packages: stdout.trim().split('\n'),
    loadAverages: loads,
    ratios: ratioLines(figures),
    servers: figures.map(({ server, highest, fixed }) => ({
      name: server.name,
      durability: server.durability,
      highest: { rate: median(highest.map((trial) => trial.rate)), rounds: highest.map(withoutDelays) },
      fixed: [...fixed].map(([rate, trials]) => ({
        rate,
        delays: delaysOf(trials),
        rounds: trials.map(withoutDelays),
      })),
    })),
  };
}

function withoutDelays({ offerDelays: _offer, ackDelays: _ack, ...trial }: DhcpTrial): unknown {
  return trial;
}

function ip4(text: string): Ip4 {
  return parseIp4(text) ?? (0 as Ip4);
}
