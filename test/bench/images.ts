import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ImageRow } from '../../src/images/image-row.ts';
import { writeStream } from '../../src/images/write-stream.ts';
import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { streamFromDaemon } from '../../src/cli/control-client.ts';
import type { ImportLine } from '../../src/rack/image-routes.ts';
import { buildRackboot } from './build-rackboot.ts';
import { loadTimed } from './dnsperf.ts';
import { nginxConfig, SERVER_ADDRESS, type FileServer } from './file-servers.ts';
import { median, percentile } from './median.ts';
import { answersOne, load } from './perfdhcp.ts';
import { prepareRackboot } from './rackboot-server.ts';
import { CLIENT_CORE, SERVER_CORE, TransferGround, UPSTREAM_ADDRESS, type RunningServer } from './transfer-ground.ts';
import { unpackedProgram } from './unpacked-programs.ts';

const MIRROR_PORT = 8000;
const MIRROR = `http://${UPSTREAM_ADDRESS}:${MIRROR_PORT}`;
const FILE = 'debian/lab/amd64/stable/1/generic/boot-kernel';
const BLOCK = 16 * 2 ** 20;
const IMPORT_LIMIT = 600_000;
/** Machines and questions a second while delays are measured: a rack that boots, and is far from its limits. */
const DHCP_RATE = 200;
const DNS_RATE = 2_000;
const MACHINES = 20_000;
/** Of an import, so much is measured: its end must not come before that of the measurement. */
const SHARE_OF_IMPORT = 0.6;

export interface ImagesBenchOptions {
  readonly quick: boolean;
  /** Only these ways to fetch; all when empty. */
  readonly only: readonly string[];
  /** The file to write the figures to. */
  readonly json?: string | undefined;
}

interface Transfer {
  readonly way: string;
  readonly seconds: number;
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
}

/** Milliseconds. */
interface Delays {
  readonly dora: { readonly p50: number; readonly p99: number; readonly lost: number };
  readonly dns: { readonly p50: number; readonly p99: number; readonly loss: number };
}

/** What an import costs beside curl, and what machines notice of it. */
export async function benchImages({ quick, only, json }: ImagesBenchOptions): Promise<void> {
  await ensurePackages(
    [
      { package: 'iproute2', provides: ['ip'] },
      { package: 'curl', provides: ['curl'] },
      { package: 'kea-admin', provides: ['perfdhcp'] },
      { package: 'dnsperf', provides: ['dnsperf'] },
    ],
    console.log,
  );
  await buildRackboot();
  const [rounds, bytes] = quick ? [1, 512 * 10 ** 6] : [3, 2 * 10 ** 9];
  const ground = await TransferGround.open();
  const loads = [loadavg()[0] ?? 0];
  try {
    const mirror = await Mirror.start(ground, bytes);
    const ways = WAYS.filter(({ name }) => only.length === 0 || only.includes(name));
    const transfers: Transfer[] = [];
    const delays: { quiet: Delays; during: Delays }[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const way of ways) transfers.push(await measureTransfer(ground, mirror, way));
      loads.push(loadavg()[0] ?? 0);
    }
    for (let round = 1; round <= rounds; round++) delays.push(await measureDelays(ground, mirror));
    loads.push(loadavg()[0] ?? 0);
    report(ways, transfers, delays, { bytes, rounds, loads });
    if (json !== undefined)
      writeFileSync(json, `${JSON.stringify({ bytes, rounds, loads, transfers, delays }, null, 2)}\n`);
  } finally {
    await ground.close();
  }
}

/** nginx, before the servers, with a simplestreams tree of one image that is one file; not signed, as it is the file that counts. */
class Mirror {
  readonly #directory: string;
  readonly #row: ImageRow;
  readonly bytes: number;

  static async start(ground: TransferGround, bytes: number): Promise<Mirror> {
    const file = join(ground.files, FILE);
    mkdirSync(dirname(file), { recursive: true });
    const sha256 = await writeRandom(file, bytes);
    const mirror = new Mirror(ground.files, bytes, sha256);
    await mirror.show(false);
    const ask = ['curl', '-sf', '-o', '/dev/null', `${MIRROR}/streams/v1/index.json`];
    await ground.startUpstream(NGINX_MIRROR, async () => (await ground.askUpstream(ask)).code === 0);
    return mirror;
  }

  private constructor(directory: string, bytes: number, sha256: string) {
    this.#directory = directory;
    this.bytes = bytes;
    this.#row = {
      os: 'debian',
      release: 'lab',
      arch: 'amd64',
      subarch: 'generic',
      subarches: ['generic'],
      kflavor: 'generic',
      label: 'stable',
      version: '1',
      title: '',
      product: '',
      source: '',
      since: 0,
      files: [{ name: 'boot-kernel', ftype: 'boot-kernel', sha256, size: bytes }],
    };
  }

  get sha256(): string {
    return this.#row.files[0]?.sha256 ?? '';
  }

  /** A rack imports as soon as it is up: what is measured is shown to it after that. */
  async show(hasImage: boolean): Promise<void> {
    const images = hasImage ? [this.#row] : [];
    // The file lies where it is looked for, and is not copied
    await writeStream(this.#directory, { images, pathOf: () => '', now: Date.now() });
  }
}

async function writeRandom(file: string, bytes: number): Promise<string> {
  const made = await runCommand(['sh', '-c', `head -c "$1" /dev/urandom > "$0"`, file, String(bytes)]);
  if (made.code !== 0) throw new Error(made.output);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: BLOCK })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

const NGINX_MIRROR: FileServer = {
  name: 'mirror',
  prepare: async (directory, files) => {
    const config = join(directory, 'nginx.conf');
    writeFileSync(config, nginxConfig(directory, files, `${UPSTREAM_ADDRESS}:${MIRROR_PORT}`));
    return [await unpackedProgram('nginx', 'usr/sbin/nginx'), '-c', config, '-e', join(directory, 'error.log')];
  },
};

/** One way to have the mirror's file checked, on the servers' core. */
interface Way {
  readonly name: string;
  fetch(ground: TransferGround, mirror: Mirror): Promise<{ readonly seconds: number; readonly cpuSeconds: number }>;
}

const WAYS: readonly Way[] = [
  {
    name: 'rackboot',
    fetch: async (ground, mirror) => {
      await using rack = await Rack.start(ground, mirror);
      return await rack.import();
    },
  },
  { name: 'curl | sha256sum', fetch: (ground, mirror) => pipe(ground, mirror, 'sha256sum') },
  // As an import does: on the disk to stay, before anybody is told of it
  {
    name: 'curl | tee | sha256sum',
    fetch: (ground, mirror) => pipe(ground, mirror, 'tee "$2" | sha256sum; sync "$2"'),
  },
];

async function pipe(
  ground: TransferGround,
  { sha256 }: Mirror,
  rest: string,
): Promise<{ seconds: number; cpuSeconds: number }> {
  let place = '';
  const script = `curl -sf "$0" | { ${rest}; } > "$1.part"; mv "$1.part" "$1"; exec sleep 1000`;
  const began = performance.now();
  const running = await ground.start(
    {
      name: 'pipe',
      prepare: (directory) => {
        place = join(directory, 'sum');
        return Promise.resolve(['sh', '-c', script, `${MIRROR}/${FILE}`, place, join(directory, 'file')]);
      },
    },
    () => Promise.resolve(true),
  );
  try {
    while (!existsSync(place)) {
      if (performance.now() - began > IMPORT_LIMIT) throw new Error(`${rest} does not come to an end`);
      await delay(2);
    }
    const result = { seconds: (performance.now() - began) / 1000, cpuSeconds: running.cpuSeconds() };
    const sum = readFileSync(place, 'utf8');
    if (!sum.startsWith(sha256)) throw new Error(`expected ${sha256}, found ${sum}`);
    return result;
  } finally {
    await running.stop();
  }
}

/** A rackboot that serves machines and has a source, from which nothing came yet. */
class Rack implements AsyncDisposable {
  readonly #running: RunningServer;
  readonly #control: string;
  readonly #mirror: Mirror;

  static async start(ground: TransferGround, mirror: Mirror): Promise<Rack> {
    await mirror.show(false);
    let place = '';
    const server: FileServer = {
      name: 'rackboot',
      prepare: (directory) => {
        place = directory;
        return Promise.resolve(prepareRackboot(directory, CONFIG(directory)));
      },
    };
    const control = (): string => join(place, 'control.sock');
    const serves = async (): Promise<boolean> =>
      existsSync(control()) && (await answersOne(pairOf(ground), SERVER_ADDRESS));
    const rack = new Rack(await ground.start(server, serves), control(), mirror);
    // The one of its start, of nothing, is over when another may begin
    while (!(await rack.#ask()).startsWith('0 versions')) await delay(50);
    return rack;
  }

  private constructor(running: RunningServer, control: string, mirror: Mirror) {
    this.#running = running;
    this.#control = control;
    this.#mirror = mirror;
  }

  async import(): Promise<{ seconds: number; cpuSeconds: number }> {
    await this.#mirror.show(true);
    const [began, cpu] = [performance.now(), this.#running.cpuSeconds()];
    const last = await this.#ask();
    const result = { seconds: (performance.now() - began) / 1000, cpuSeconds: this.#running.cpuSeconds() - cpu };
    if (last !== `1 versions, ${this.#mirror.bytes} bytes fetched`) throw new Error(`the import said: ${last}`);
    return result;
  }

  /** The last line of what an import says. */
  async #ask(): Promise<string> {
    const limit = AbortSignal.timeout(IMPORT_LIMIT);
    for await (const text of streamFromDaemon(this.#control, '/images/import', limit, 'POST')) {
      const line = JSON.parse(text) as ImportLine;
      if ('answer' in line) return line.answer.lines.at(-1) ?? '';
    }
    return '';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.stop();
  }
}

const CONFIG = (directory: string): string => `subnets:
  - { cidr: 10.0.0.0/12, interface: serve, management: dhcp+dns, dynamic: 10.2.0.1-10.2.255.254, static: 10.3.0.1-10.3.0.9, lease: 1h, conflict-check: off, domain: bench.example }
hosts:
  - { name: node1, mac: "52:54:00:00:00:01", address: 10.3.0.1 }
boot: { files: ${directory} }
images:
  interval: off
  sources: [{ name: mirror, url: "${MIRROR}/", unsigned: true }]
`;

function pairOf(ground: TransferGround): Parameters<typeof load>[0] {
  return { ask: (argv) => ground.ask(argv), clientInterface: 'ask' };
}

async function measureTransfer(ground: TransferGround, mirror: Mirror, way: Way): Promise<Transfer> {
  const { seconds, cpuSeconds } = await way.fetch(ground, mirror);
  const transfer = {
    way: way.name,
    seconds,
    megabytesPerSecond: mirror.bytes / seconds / 1e6,
    cpuSecondsPerGigabyte: (cpuSeconds * 1e9) / mirror.bytes,
  };
  console.log(`${way.name.padEnd(24)} ${transferText([transfer])}`);
  return transfer;
}

/** One import tells how long another takes; the second is measured beside. */
async function measureDelays(ground: TransferGround, mirror: Mirror): Promise<{ quiet: Delays; during: Delays }> {
  const seconds = await importSeconds(ground, mirror);
  await using rack = await Rack.start(ground, mirror);
  // Compiled code comes with use
  await askMachines(ground, 0, 2);
  const quiet = await askMachines(ground, 1, seconds);
  const importing = rack.import();
  const during = await askMachines(ground, 2, seconds);
  const { seconds: took } = await importing;
  console.log(
    `${delaysText('quiet', [quiet])}\n${delaysText('import', [during])}, for ${seconds} s of ${took.toFixed(1)} s`,
  );
  return { quiet, during };
}

async function importSeconds(ground: TransferGround, mirror: Mirror): Promise<number> {
  await using rack = await Rack.start(ground, mirror);
  const { seconds } = await rack.import();
  return Math.max(1, Math.floor(seconds * SHARE_OF_IMPORT));
}

async function askMachines(ground: TransferGround, pool: number, seconds: number): Promise<Delays> {
  const questions = join(ground.files, '..', 'questions');
  writeFileSync(questions, 'node1.bench.example A\n');
  const machines = { server: SERVER_ADDRESS, rate: DHCP_RATE, seconds, clients: MACHINES, pool, core: CLIENT_CORE };
  const names = { server: SERVER_ADDRESS, questions, seconds, outstanding: 100, rate: DNS_RATE };
  const [dhcp, dns] = await Promise.all([
    load(pairOf(ground), { ...machines, isTimed: true }),
    loadTimed((argv) => ground.ask(argv), names, join(ground.files, '..', 'dnsperf')),
  ]);
  rmSync(questions);
  const doras = dhcp.offerDelays.map((offer, i) => offer + (dhcp.ackDelays[i] ?? Number.NaN)).filter((ms) => ms >= 0);
  return {
    dora: { p50: percentile(doras, 0.5), p99: percentile(doras, 0.99), lost: dhcp.begun - dhcp.completed },
    dns: { p50: dns.p50, p99: dns.p99, loss: dns.loss },
  };
}

function report(
  ways: readonly Way[],
  transfers: readonly Transfer[],
  delays: readonly { readonly quiet: Delays; readonly during: Delays }[],
  pace: { readonly bytes: number; readonly rounds: number; readonly loads: readonly number[] },
): void {
  console.log(`
${pace.bytes / 1e6} MB from nginx over a veth pair; fetching and serving on core ${SERVER_CORE}, nginx and the machines on core ${CLIENT_CORE}
median of ${pace.rounds}, alternating; load average (1 min) around the rounds: ${pace.loads.map((each) => each.toFixed(2)).join(', ')}
`);
  const lines = ways.map(({ name }) => transfers.filter(({ way }) => way === name));
  for (const of of lines) console.log(`  ${(of[0]?.way ?? '').padEnd(24)} ${transferText(of)}`);
  console.log(`
${DHCP_RATE} machines and ${DNS_RATE} questions a second, without an import and while one runs as fast as it can
`);
  console.log(
    `  ${delaysText(
      'quiet',
      delays.map(({ quiet }) => quiet),
    )}`,
  );
  console.log(
    `  ${delaysText(
      'import',
      delays.map(({ during }) => during),
    )}`,
  );
}

function transferText(of: readonly Transfer[]): string {
  const middle = (pick: (each: Transfer) => number): number => median(of.map(pick));
  const rate = middle(({ megabytesPerSecond }) => megabytesPerSecond).toFixed(0);
  return `${rate.padStart(6)} MB/s  ${middle(({ cpuSecondsPerGigabyte }) => cpuSecondsPerGigabyte).toFixed(2)} CPU-s/GB`;
}

function delaysText(when: string, of: readonly Delays[]): string {
  const middle = (pick: (each: Delays) => number): string => `${median(of.map(pick)).toFixed(2)} ms`;
  const dhcp = `DORA p50 ${middle(({ dora }) => dora.p50)}, p99 ${middle(({ dora }) => dora.p99)}`;
  const dns = `DNS p50 ${middle(({ dns: { p50 } }) => p50)}, p99 ${middle(({ dns: { p99 } }) => p99)}`;
  const lost = of.reduce((sum, { dora }) => sum + dora.lost, 0);
  const loss = (median(of.map(({ dns: { loss: each } }) => each)) * 100).toFixed(2);
  return `${when.padEnd(7)} ${dhcp}; ${dns}; ${lost} DORAs and ${loss} % of answers lost`;
}
