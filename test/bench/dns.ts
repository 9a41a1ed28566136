import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { buildRackboot } from './build-rackboot.ts';
import { SCENARIOS, writeScenario, type DnsFiles, type DnsScenario } from './dns-scenarios.ts';
import { DNS_BENCH_PACKAGES, DNS_SERVERS, NOT_COMPARABLE, prepareNsd, type DnsServer } from './dns-servers.ts';
import { askOnce, loadDns, loadTimed, type DnsLoadResult } from './dnsperf.ts';
import { SERVER_ADDRESS, type FileServer } from './file-servers.ts';
import { median } from './median.ts';
import { CLIENT_CORE, SERVER_CORE, TransferGround, UPSTREAM_ADDRESS, type RunningServer } from './transfer-ground.ts';

const MOST_LOSS = 0.01;
/** Tried one after the other until the loss is small: a server with a small receive buffer takes no more at a time. */
const OUTSTANDING = [200, 100, 50, 20];
/** At these rates CPU and delay are compared, of whoever can serve so many. */
const FIXED_RATES = [20_000, 60_000];
/** How far the shares of response codes may be from those of the scenario. */
const RCODE_TOLERANCE = 0.02;

export interface DnsBenchOptions {
  readonly quick: boolean;
  /** Which of SCENARIOS; all unless given. */
  readonly scenario: string | undefined;
  /** Only these servers; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** What one run of dnsperf cost the server. */
interface Cost {
  readonly cpuMicroseconds: number;
  /** Of one core. */
  readonly busy: number;
}

interface PacedFigure extends DnsLoadResult, Cost {
  readonly p99: number;
}

interface Figure extends DnsLoadResult, Cost {
  readonly server: string;
  readonly scenario: string;
  readonly round: number;
  readonly outstanding: number;
  readonly residentMegabytes: number;
  readonly paced: readonly { readonly wanted: number; readonly figure: PacedFigure }[];
}

/** rackboot and its peers, side by side: answers a second, and what one costs, from hosts, zones and a cache. */
export async function benchDns({ quick, scenario: wanted, only, json }: DnsBenchOptions): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name }) => wanted === undefined || name === wanted);
  const names = SCENARIOS.map(({ name }) => name).join(' | ');
  if (scenarios.length === 0) throw new Error(`scenario: expected ${names}, found ${wanted}`);
  await ensurePackages(DNS_BENCH_PACKAGES, console.log);
  await buildRackboot();
  const pace = quick ? { rounds: 1, seconds: 2, warmUpSeconds: 2 } : { rounds: 5, seconds: 2, warmUpSeconds: 2 };
  const servers = DNS_SERVERS.filter(({ name }) => only.length === 0 || only.includes(name));
  const versions = await Promise.all(servers.map(async ({ name, version }) => ({ name, version: await version() })));
  const figures: Figure[] = [];
  const ground = await TransferGround.open();
  const loads = [loadavg()[0] ?? 0];
  try {
    const written = scenarios.map((scenario) => ({ scenario, files: writeScenario(scenario, ground.files) }));
    for (let round = 1; round <= pace.rounds; round++) {
      for (const { scenario, files } of written) {
        for (const server of servers)
          figures.push(...(await measureServer(ground, server, scenario, files, { ...pace, round })));
      }
      loads.push(loadavg()[0] ?? 0);
    }
  } finally {
    await ground.close();
  }
  report(scenarios, versions, figures, pace, loads);
  const summary = { ...pace, serverCore: SERVER_CORE, clientCore: CLIENT_CORE, versions, loads, scenarios, figures };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(summary, null, 2)}\n`);
}

type Round = Pace & { readonly round: number };

/** Starts a server afresh and measures it; nothing when it is none of the kind. */
async function measureServer(
  ground: TransferGround,
  server: DnsServer,
  scenario: DnsScenario,
  files: DnsFiles,
  pace: Round,
): Promise<Figure[]> {
  const prepare = scenario.kind === 'forward' ? server.forward : server.serve;
  if (!prepare || (scenario.threads > 1 && server.isAlone)) return [];
  const upstream = scenario.kind === 'forward' ? await startUpstream(ground, files) : undefined;
  const { threads: cores } = scenario;
  const start = {
    name: server.name,
    cores,
    prepare: async (directory: string) => prepare({ directory, scenario, files }),
  };
  const running = await ground.start(start, () => serves(ground, files));
  try {
    if (upstream) await fillCache(ground, files);
    // What is answered from now on was in the cache
    await upstream?.stop();
    const figure = await measure(ground, running, scenario, files, pace);
    console.log(`round ${pace.round}: ${scenario.name.padEnd(6)} ${server.name.padEnd(8)} ${figureText(figure)}`);
    return [{ ...figure, server: server.name, scenario: scenario.name, round: pace.round }];
  } finally {
    await running.stop();
  }
}

async function startUpstream(ground: TransferGround, files: DnsFiles): Promise<RunningServer> {
  const nsd: FileServer = {
    name: 'upstream',
    prepare: async (directory) => prepareNsd(directory, files, UPSTREAM_ADDRESS),
  };
  const isThere = async (): Promise<boolean> => {
    const { rcodes } = await askOnce((argv) => ground.askUpstream(argv), UPSTREAM_ADDRESS, files.oneName);
    return rcodes['NOERROR'] === 1;
  };
  return ground.startUpstream(nsd, isThere);
}

async function serves(ground: TransferGround, files: DnsFiles): Promise<boolean> {
  const { rcodes } = await askOnce((argv) => ground.ask(argv), SERVER_ADDRESS, files.oneName);
  return rcodes['NOERROR'] === 1;
}

/** Twice, as what was lost the first time would be asked for later. */
async function fillCache(ground: TransferGround, files: DnsFiles): Promise<void> {
  for (let i = 0; i < 2; i++) await askOnce((argv) => ground.ask(argv), SERVER_ADDRESS, files.everyName);
}

type Measured = Omit<Figure, 'server' | 'scenario' | 'round'>;

async function measure(
  ground: TransferGround,
  running: RunningServer,
  scenario: DnsScenario,
  files: DnsFiles,
  { seconds, warmUpSeconds }: Pace,
): Promise<Measured> {
  const ask = (argv: readonly string[]) => ground.ask(argv);
  const load = { server: SERVER_ADDRESS, questions: files.questions, seconds, outstanding: OUTSTANDING[0] ?? 1 };
  // Compiled code comes with use
  await loadDns(ask, { ...load, seconds: warmUpSeconds });
  const highest = await measureHighest(running, (outstanding) => loadDns(ask, { ...load, outstanding }));
  checkRcodes(scenario, highest);
  const paced: { wanted: number; figure: PacedFigure }[] = [];
  for (const rate of FIXED_RATES.filter((wanted) => wanted < highest.rate)) {
    // Not beside the zone: rackboot looks at whatever happens in a folder of its files
    const report_ = join(ground.files, '..', 'report');
    const figure = await withCost(running, () => loadTimed(ask, { ...load, rate }, report_));
    paced.push({ wanted: rate, figure });
  }
  return { ...highest, residentMegabytes: running.residentMegabytes(), paced };
}

async function measureHighest(
  running: RunningServer,
  run: (outstanding: number) => Promise<DnsLoadResult>,
): Promise<DnsLoadResult & Cost & { readonly outstanding: number }> {
  for (const outstanding of OUTSTANDING) {
    const figure = await withCost(running, () => run(outstanding));
    if (figure.loss < MOST_LOSS || outstanding === OUTSTANDING.at(-1)) return { ...figure, outstanding };
  }
  throw new Error('nothing was tried');
}

async function withCost<T extends DnsLoadResult>(running: RunningServer, run: () => Promise<T>): Promise<T & Cost> {
  const before = running.cpuSeconds();
  const result = await run();
  const cpu = running.cpuSeconds() - before;
  return { ...result, cpuMicroseconds: (cpu * 1e6) / result.completed, busy: cpu / result.seconds };
}

/** A server that refuses is fast. */
function checkRcodes({ name, absent }: DnsScenario, { rcodes }: DnsLoadResult): void {
  const [found, missing] = [rcodes['NOERROR'] ?? 0, rcodes['NXDOMAIN'] ?? 0];
  if (Math.abs(missing - absent) < RCODE_TOLERANCE && Math.abs(found + missing - 1) < 1e-9) return;
  throw new Error(`scenario ${name}: wrong answers: ${JSON.stringify(rcodes)}`);
}

function report(
  scenarios: readonly DnsScenario[],
  versions: readonly { readonly name: string; readonly version: string }[],
  figures: readonly Figure[],
  { rounds, seconds, warmUpSeconds }: Pace,
  loads: readonly number[],
): void {
  const minute = loads.map((load) => load.toFixed(2)).join(', ');
  console.log(`
dnsperf over a veth pair, UDP without EDNS, ${OUTSTANDING[0]} questions under way from 8 sockets; every run with a fresh server, ${seconds} s after ${warmUpSeconds} s of warming up
server on core ${SERVER_CORE} with one thread, dnsperf on core ${CLIENT_CORE}; two threads have a core each, dnsperf's where there is no third; median of ${rounds}, alternating; load average (1 min) around the rounds: ${minute}
${versions.map(({ name, version }) => `${name} ${version}`).join(', ')}
not comparable: ${NOT_COMPARABLE.replaceAll('\n', '\n                ')}
the cache's upstream (NSD) is stopped before anything is measured: each answer is from the cache
a server that is not busy could do more: dnsperf's core was full, or a cable's queue; its CPU for an answer still compares

answers a second with less than ${MOST_LOSS * 100} % loss (slowest–fastest), server's CPU for each, loss, share of its core, bytes of an answer, resident memory
`);
  for (const scenario of scenarios) {
    console.log(scenario.title);
    const of = figures.filter((figure) => figure.scenario === scenario.name);
    const lines = Map.groupBy(of, ({ server }) => server);
    for (const [name, own] of lines) console.log(`  ${name.padEnd(8)} ${highestText(own)}`);
    for (const line of ratioLines(lines)) console.log(`  ${line}`);
    for (const rate of FIXED_RATES) {
      console.log(`  at ${rate.toLocaleString('en')}/s: CPU; delay, average and of 99 in 100; loss`);
      for (const [name, own] of lines) console.log(`    ${name.padEnd(8)} ${pacedText(own, rate)}`);
    }
    console.log('');
  }
}

function highestText(figures: readonly Figure[]): string {
  const rates = figures.map(({ rate }) => rate);
  const spread = figures.length < 2 ? '' : ` (${count(Math.min(...rates))}–${count(Math.max(...rates))})`;
  const middle = (pick: (figure: Figure) => number): number => median(figures.map(pick));
  const cost = `${middle((f) => f.cpuMicroseconds).toFixed(2)} µs  ${percent(middle((f) => f.loss))} lost  ${(100 * middle((f) => f.busy)).toFixed(0)} % busy`;
  const size = `${middle((f) => f.responseBytes)} B  ${middle((f) => f.residentMegabytes).toFixed(0)} MB`;
  return `${count(median(rates)).padStart(7)}/s${spread}  ${cost}  ${size}`;
}

function pacedText(figures: readonly Figure[], rate: number): string {
  const paced = figures.flatMap((figure) => figure.paced.filter(({ wanted }) => wanted === rate));
  if (paced.length === 0) return 'can not';
  const middle = (pick: (figure: PacedFigure) => number): number => median(paced.map(({ figure }) => pick(figure)));
  const delay = `${middle((f) => f.averageMilliseconds).toFixed(3)} ms, p99 ${middle((f) => f.p99).toFixed(3)} ms`;
  return `${middle((f) => f.cpuMicroseconds).toFixed(2)} µs  ${delay}  ${percent(middle((f) => f.loss))} lost`;
}

/** The first server against each other one, round by round, as the machine is not the same in every round. */
function ratioLines(lines: ReadonlyMap<string, readonly Figure[]>): string[] {
  const [[own, figures] = ['', []], ...peers] = lines;
  return peers.map(([name, theirs]) => {
    const pairs = figures.flatMap((mine) => {
      const peer = theirs.find(({ round }) => round === mine.round);
      return peer ? [{ rate: mine.rate / peer.rate, cpu: mine.cpuMicroseconds / peer.cpuMicroseconds }] : [];
    });
    const [rates, cpu] = [pairs.map((pair) => pair.rate), pairs.map((pair) => pair.cpu)];
    return `${own} / ${name}: ${ratioText(rates)} × the answers, ${ratioText(cpu)} × the CPU for each`;
  });
}

function ratioText(ratios: readonly number[]): string {
  const spread = ratios.length < 2 ? '' : ` (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
  return median(ratios).toFixed(2) + spread;
}

function figureText(figure: Measured): string {
  const slow = figure.paced[0]?.figure;
  const delay = slow ? `  p99 ${slow.p99.toFixed(3)} ms at ${count(FIXED_RATES[0] ?? 0)}/s` : '';
  return `${count(figure.rate).padStart(7)}/s  ${figure.cpuMicroseconds.toFixed(2)} µs  ${percent(figure.loss)} lost${delay}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
