import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { buildRackboot } from './build-rackboot.ts';
import { FILE_SERVER_PACKAGES, HTTP_PORT, SERVER_ADDRESS } from './file-servers.ts';
import { median, percentile } from './median.ts';
import { STORM_FILES, STORM_SERVERS } from './storm-servers.ts';
import type { StormOrder, StormResult } from './storm-swarm.ts';
import { CLIENT_CORE, SERVER_CORE, TransferGround } from './transfer-ground.ts';
import type { FileServer } from './file-servers.ts';

const SWARM = join(import.meta.dirname, 'storm-swarm.ts');
const LIMIT_SECONDS = 300;

interface Figure extends StormResult {
  readonly server: string;
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
}

export interface StormBenchOptions {
  readonly quick: boolean;
  /** Only these servers; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

/** A thousand machines that power on within a second, side by side: rackboot, and dnsmasq with nginx. */
export async function benchStorm({ quick, only, json }: StormBenchOptions): Promise<void> {
  await ensurePackages(FILE_SERVER_PACKAGES, console.log);
  await buildRackboot();
  const [rounds, machines] = quick ? [1, 200] : [3, 1000];
  const order = { machines, spread: 1, interface: 'ask', limit: LIMIT_SECONDS };
  const servers = STORM_SERVERS.filter(({ name }) => only.length === 0 || only.includes(name));
  const figures: Figure[] = [];
  const ground = await TransferGround.open();
  const loads = [loadavg()[0] ?? 0];
  try {
    for (const { name, bytes, header } of STORM_FILES) ground.addFile(name, bytes, header);
    for (let round = 1; round <= rounds; round++) {
      for (const server of servers) figures.push(await measure(ground, server, order));
      loads.push(loadavg()[0] ?? 0);
    }
  } finally {
    await ground.close();
  }
  report(servers, figures, order, loads);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rounds, machines, loads, figures }, null, 2)}\n`);
}

async function measure(ground: TransferGround, server: FileServer, order: StormOrder): Promise<Figure> {
  const [{ name: probe } = { name: '' }] = STORM_FILES;
  const url = `http://${SERVER_ADDRESS}:${HTTP_PORT}/${probe}`;
  const running = await ground.start(
    server,
    async () => (await ground.ask(['curl', '-sf', '-o', '/dev/null', url])).code === 0,
  );
  try {
    const before = running.cpuSeconds();
    const { code, stdout, output } = await ground.ask([process.execPath, SWARM, JSON.stringify(order)]);
    if (code !== 0) throw new Error(output);
    const figure: Figure = {
      ...(JSON.parse(stdout) as StormResult),
      server: server.name,
      cpuSeconds: running.cpuSeconds() - before,
      residentMegabytes: running.residentMegabytes(),
    };
    console.log(`${server.name.padEnd(14)} ${figureText([figure])}`);
    return figure;
  } finally {
    await running.stop();
  }
}

function report(
  servers: readonly FileServer[],
  figures: readonly Figure[],
  { machines, spread }: StormOrder,
  loads: readonly number[],
): void {
  const sizes = STORM_FILES.map(({ name, bytes }) => `${name} ${(bytes / 2 ** 20).toFixed(1)} MiB`).join(', ');
  console.log(`
${machines} machines power on within ${spread} s: DHCP, loader by TFTP, DHCP as iPXE, script, kernel and initrd by HTTP
${sizes}; servers on core ${SERVER_CORE}, all machines on core ${CLIENT_CORE}
medians; load average (1 min) around the rounds: ${loads.map((load) => load.toFixed(2)).join(', ')}
`);
  const lines = servers.map(({ name }) => figures.filter(({ server }) => server === name));
  for (const of of lines) console.log(`  ${(of[0]?.server ?? '').padEnd(14)} ${figureText(of)}`);
  const [own, peer] = lines.map((of) => median(of.map(({ seconds }) => seconds)));
  if (own !== undefined && peer !== undefined) console.log(`  ${(own / peer).toFixed(2)} × the time`);
}

function figureText(figures: readonly Figure[]): string {
  const middle = (pick: (figure: Figure) => number): string => median(figures.map(pick)).toFixed(1);
  const failed = Math.max(...figures.map((figure) => figure.failed));
  return [
    `last byte after ${middle(({ seconds }) => seconds)} s`,
    `a machine p50 ${middle(({ perMachine }) => percentile(perMachine, 0.5))} p99 ${middle(({ perMachine }) => percentile(perMachine, 0.99))} s`,
    `script known p50 ${middle(({ toScript }) => percentile(toScript, 0.5))} p99 ${middle(({ toScript }) => percentile(toScript, 0.99))} s`,
    `${middle(({ cpuSeconds }) => cpuSeconds)} CPU-s`,
    `${failed} failed`,
  ].join(', ');
}
