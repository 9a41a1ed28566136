import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { buildRackboot } from './build-rackboot.ts';
import { FILE_SERVER_PACKAGES, HTTP_PORT, HTTP_SERVERS, SERVER_ADDRESS, type FileServer } from './file-servers.ts';
import { median } from './median.ts';
import { CLIENT_CORE, SERVER_CORE, TransferGround, type RunningServer } from './transfer-ground.ts';

/** wrk runs it in Lua, with its own idea of what a summary is. */
const WRK_SCRIPT = `done = function(s) io.write(string.format('{"bytes":%d,"seconds":%f,"requests":%d,"errors":%d}\\n',
  s.bytes, s.duration / 1e6, s.requests, s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout)) end\n`;
const MEGABYTE = 1024 * 1024;
const FILES = [
  { name: '1MB', bytes: MEGABYTE },
  { name: '100MB', bytes: 100 * MEGABYTE },
];
const CONNECTIONS = [1, 8, 64];

interface WrkResult {
  readonly bytes: number;
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
}

interface Figure extends WrkResult {
  readonly server: string;
  readonly cell: string;
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
  readonly residentMegabytes: number;
}

export interface HttpBenchOptions {
  readonly quick: boolean;
  /** Only these servers; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

/** rackboot and nginx, side by side: files of 1 MB and 100 MB, read over and over by 1 to 64 connections. */
export async function benchHttp({ quick, only, json }: HttpBenchOptions): Promise<void> {
  await ensurePackages(FILE_SERVER_PACKAGES, console.log);
  await buildRackboot();
  const [rounds, seconds] = quick ? [1, 3] : [3, 5];
  const servers = HTTP_SERVERS.filter(({ name }) => only.length === 0 || only.includes(name));
  const figures: Figure[] = [];
  const ground = await TransferGround.open();
  const loads = [loadavg()[0] ?? 0];
  try {
    for (const { name, bytes } of FILES) ground.addFile(name, bytes);
    for (let round = 1; round <= rounds; round++) {
      for (const server of servers) figures.push(...(await measureServer(ground, server, seconds)));
      loads.push(loadavg()[0] ?? 0);
    }
  } finally {
    await ground.close();
  }
  report(servers, figures, { rounds, seconds, loads });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rounds, seconds, loads, figures }, null, 2)}\n`);
}

async function measureServer(ground: TransferGround, server: FileServer, seconds: number): Promise<Figure[]> {
  const script = join(ground.files, '..', 'summary.lua');
  writeFileSync(script, WRK_SCRIPT);
  const wrk = (file: string, connections: number, duration: number): Promise<WrkResult> =>
    askWrk(ground, script, { file, connections, duration });
  const running = await ground.start(
    server,
    async () => (await wrk('1MB', 1, 1).catch(() => undefined))?.bytes !== undefined,
  );
  const figures: Figure[] = [];
  try {
    // Compiled code comes with use
    await wrk('1MB', 8, 2);
    for (const { name: file } of FILES) {
      for (const connections of CONNECTIONS) {
        const before = running.cpuSeconds();
        const result = await wrk(file, connections, seconds);
        figures.push(figureOf(server, cellName(file, connections), result, running, running.cpuSeconds() - before));
      }
    }
  } finally {
    await running.stop();
  }
  return figures;
}

async function askWrk(
  ground: TransferGround,
  script: string,
  { file, connections, duration }: { readonly file: string; readonly connections: number; readonly duration: number },
): Promise<WrkResult> {
  const url = `http://${SERVER_ADDRESS}:${HTTP_PORT}/${file}`;
  const argv = [
    'wrk',
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    String(duration),
    '--timeout',
    '60',
    '-s',
    script,
    url,
  ];
  const { stdout, output } = await ground.ask(argv);
  const line = stdout.split('\n').find((text) => text.startsWith('{"bytes"'));
  if (line === undefined) throw new Error(output);
  return JSON.parse(line) as WrkResult;
}

function figureOf(
  { name }: FileServer,
  cell: string,
  result: WrkResult,
  running: RunningServer,
  cpuSeconds: number,
): Figure {
  const figure = {
    ...result,
    server: name,
    cell,
    megabytesPerSecond: result.bytes / result.seconds / 1e6,
    cpuSecondsPerGigabyte: (cpuSeconds * 1e9) / result.bytes,
    residentMegabytes: running.residentMegabytes(),
  };
  console.log(`${name.padEnd(9)} ${cell}  ${figureText(figure)}`);
  return figure;
}

function report(
  servers: readonly FileServer[],
  figures: readonly Figure[],
  pace: { readonly rounds: number; readonly seconds: number; readonly loads: readonly number[] },
): void {
  const loads = pace.loads.map((load) => load.toFixed(2)).join(', ');
  console.log(`
HTTP over a veth pair, wrk for ${pace.seconds} s; server on core ${SERVER_CORE}, wrk on core ${CLIENT_CORE}
median of ${pace.rounds}, alternating; load average (1 min) around the rounds: ${loads}
MB/s, CPU seconds a GB${pace.rounds > 1 ? ' (slowest–fastest)' : ''}
`);
  for (const cell of new Set(figures.map((figure) => figure.cell))) {
    console.log(cell);
    const lines = servers.map(({ name }) => figures.filter((f) => f.server === name && f.cell === cell));
    for (const of of lines) {
      const rates = of.map((figure) => figure.megabytesPerSecond);
      const spread = of.length > 1 ? `(${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)})` : '';
      console.log(`  ${(of[0]?.server ?? '').padEnd(9)} ${figureText(middle(of))}  ${spread}`);
    }
    const [own, peer] = lines.map(middle);
    if (own && peer) {
      const rate = (own.megabytesPerSecond / peer.megabytesPerSecond).toFixed(2);
      console.log(
        `  ${rate} × the rate, ${(own.cpuSecondsPerGigabyte / peer.cpuSecondsPerGigabyte).toFixed(2)} × the CPU`,
      );
    }
  }
}

type Middle = Pick<Figure, 'megabytesPerSecond' | 'cpuSecondsPerGigabyte' | 'errors'>;

function middle(figures: readonly Figure[]): Middle {
  return {
    megabytesPerSecond: median(figures.map((figure) => figure.megabytesPerSecond)),
    cpuSecondsPerGigabyte: median(figures.map((figure) => figure.cpuSecondsPerGigabyte)),
    errors: median(figures.map((figure) => figure.errors)),
  };
}

function figureText({ megabytesPerSecond, cpuSecondsPerGigabyte, errors }: Middle): string {
  const rate = megabytesPerSecond.toFixed(0).padStart(6);
  return `${rate} MB/s  ${cpuSecondsPerGigabyte.toFixed(3).padStart(7)} s/GB${errors > 0 ? `  ${errors} errors` : ''}`;
}

function cellName(file: string, connections: number): string {
  return `${file.padStart(5)} by ${String(connections).padStart(2)} connections`;
}
