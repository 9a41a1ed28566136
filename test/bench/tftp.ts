import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { FILE_SERVER_PACKAGES, SERVER_ADDRESS, TFTP_SERVERS, type FileServer } from './file-servers.ts';
import { buildRackboot } from './build-rackboot.ts';
import { median } from './median.ts';
import type { SwarmOrder, SwarmResult } from './tftp-swarm.ts';
import { CLIENT_CORE, FIRST_CLIENT, SERVER_CORE, TransferGround, type RunningServer } from './transfer-ground.ts';

const SWARM = join(import.meta.dirname, 'tftp-swarm.ts');
const FILE = 'image';
const FILE_BYTES = 100 * 1024 * 1024;
/** What iPXE asks for on Ethernet. */
const BLOCK = 1432;
const CLIENTS = [1, 8, 64, 500];
const WINDOWS = [1, 16];
const GIGABYTE = 1e9;

interface Cell {
  readonly clients: number;
  readonly window: number;
}

interface Figure extends SwarmResult {
  readonly server: string;
  readonly cell: Cell;
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
  /** The most that was seen, of the process that listens: tftpd-hpa's children are others. */
  readonly residentMegabytes: number;
}

export interface TftpBenchOptions {
  readonly quick: boolean;
  /** Only these servers; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

/** rackboot and its peers, side by side: one file of 100 MB, read over and over by 1 to 500 clients, lock-step and by windows. */
export async function benchTftp({ quick, only, json }: TftpBenchOptions): Promise<void> {
  await ensurePackages(FILE_SERVER_PACKAGES, console.log);
  await buildRackboot();
  const [rounds, seconds] = quick ? [1, 2] : [3, 4];
  const servers = TFTP_SERVERS.filter(({ name }) => only.length === 0 || only.includes(name));
  const cells = WINDOWS.flatMap((window) => CLIENTS.map((clients) => ({ clients, window })));
  const figures: Figure[] = [];
  const ground = await TransferGround.open();
  const loads = [loadavg()[0] ?? 0];
  try {
    ground.addFile(FILE, FILE_BYTES);
    for (let round = 1; round <= rounds; round++) {
      for (const server of servers) figures.push(...(await measureServer(ground, server, cells, seconds)));
      loads.push(loadavg()[0] ?? 0);
    }
  } finally {
    await ground.close();
  }
  report(servers, cells, figures, { rounds, seconds, loads });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rounds, seconds, loads, figures }, null, 2)}\n`);
}

async function measureServer(
  ground: TransferGround,
  server: FileServer,
  cells: readonly Cell[],
  seconds: number,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  let running = await startWarm(ground, server);
  try {
    for (const cell of cells) {
      figures.push(await measureCell(ground, server, running, cell, seconds));
      if (!running.hasEnded()) continue;
      console.log(`${server.name} died of ${cellName(cell)} and is started again`);
      await running.stop();
      running = await startWarm(ground, server);
    }
  } finally {
    await running.stop();
  }
  return figures;
}

async function startWarm(ground: TransferGround, server: FileServer): Promise<RunningServer> {
  const running = await ground.start(
    server,
    async () => (await swarm(ground, { clients: 1, window: 1 }, 0.2)).bytes > 0,
  );
  // Compiled code comes with use
  await swarm(ground, { clients: 64, window: 1 }, 2);
  return running;
}

async function measureCell(
  ground: TransferGround,
  { name }: FileServer,
  running: RunningServer,
  cell: Cell,
  seconds: number,
): Promise<Figure> {
  const before = running.cpuSeconds();
  let resident = 0;
  const look = setInterval(() => (resident = Math.max(resident, running.residentMegabytes())), 200);
  const result = await swarm(ground, cell, seconds).finally(() => clearInterval(look));
  const cpu = running.cpuSeconds() - before;
  const figure = {
    ...result,
    server: name,
    cell,
    megabytesPerSecond: result.bytes / result.seconds / 1e6,
    cpuSecondsPerGigabyte: (cpu * GIGABYTE) / result.bytes,
    residentMegabytes: resident,
  };
  console.log(`${name.padEnd(10)} ${cellName(cell)}  ${figureText(figure)}`);
  return figure;
}

async function swarm(ground: TransferGround, { clients, window }: Cell, seconds: number): Promise<SwarmResult> {
  const order: SwarmOrder = {
    server: SERVER_ADDRESS,
    first: FIRST_CLIENT,
    file: FILE,
    block: BLOCK,
    clients,
    window,
    seconds,
  };
  const { code, stdout, output } = await ground.ask([process.execPath, SWARM, JSON.stringify(order)]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout) as SwarmResult;
}

function report(
  servers: readonly FileServer[],
  cells: readonly Cell[],
  figures: readonly Figure[],
  pace: { readonly rounds: number; readonly seconds: number; readonly loads: readonly number[] },
): void {
  const loads = pace.loads.map((load) => load.toFixed(2)).join(', ');
  console.log(`
TFTP over a veth pair: a file of ${FILE_BYTES / 1024 / 1024} MiB, blocks of ${BLOCK}, read over and over for ${pace.seconds} s
server on core ${SERVER_CORE}, all clients in one process on core ${CLIENT_CORE}; median of ${pace.rounds}, alternating; load average (1 min) around the rounds: ${loads}
MB/s, CPU seconds a GB${pace.rounds > 1 ? ' (slowest–fastest)' : ''}, waits in vain, resident memory
`);
  for (const cell of cells) {
    console.log(cellName(cell));
    const lines = servers.map(({ name }) => ({
      name,
      of: figures.filter((f) => f.server === name && f.cell === cell),
    }));
    for (const { name, of } of lines) console.log(`  ${name.padEnd(10)} ${figureText(middle(of))}  ${spread(of)}`);
    console.log(`  ${ratios(lines.map(({ name, of }) => ({ ...middle(of), server: name })))}`);
  }
}

type Middle = Pick<Figure, 'megabytesPerSecond' | 'cpuSecondsPerGigabyte' | 'timeouts' | 'residentMegabytes'>;

function middle(figures: readonly Figure[]): Middle {
  return {
    megabytesPerSecond: median(figures.map((figure) => figure.megabytesPerSecond)),
    cpuSecondsPerGigabyte: median(figures.map((figure) => figure.cpuSecondsPerGigabyte)),
    timeouts: median(figures.map((figure) => figure.timeouts)),
    residentMegabytes: median(figures.map((figure) => figure.residentMegabytes)),
  };
}

function spread(figures: readonly Figure[]): string {
  const rates = figures.map((figure) => figure.megabytesPerSecond);
  return rates.length < 2 ? '' : `(${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)})`;
}

/** The first against whichever other one is best at each. */
function ratios([own, ...peers]: readonly (Middle & { readonly server: string })[]): string {
  const fastest = peers.toSorted((a, b) => b.megabytesPerSecond - a.megabytesPerSecond)[0];
  const leanest = peers.toSorted((a, b) => a.cpuSecondsPerGigabyte - b.cpuSecondsPerGigabyte)[0];
  if (!own || !fastest || !leanest) return '';
  const rate = (own.megabytesPerSecond / fastest.megabytesPerSecond).toFixed(2);
  const cpu = (own.cpuSecondsPerGigabyte / leanest.cpuSecondsPerGigabyte).toFixed(2);
  return `${own.server}: ${rate} × the rate of ${fastest.server}, ${cpu} × the CPU of ${leanest.server}`;
}

function figureText({ megabytesPerSecond, cpuSecondsPerGigabyte, timeouts, residentMegabytes }: Middle): string {
  const rate = megabytesPerSecond.toFixed(1).padStart(6);
  return `${rate} MB/s  ${cpuSecondsPerGigabyte.toFixed(2).padStart(6)} s/GB  ${String(timeouts).padStart(4)} waits  ${residentMegabytes.toFixed(0).padStart(4)} MB`;
}

function cellName({ clients, window }: Cell): string {
  return `${String(clients).padStart(3)} clients, window ${String(window).padStart(2)}`;
}
