import { fork, type ChildProcess } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { formatMac } from '../../src/addr/mac.ts';
import { ensurePackages, POSTGRESQL } from '../../src/lab/debian-packages.ts';
import type { Database } from '../../src/region/database/database.ts';
import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { Authority } from '../fixtures/certificate.ts';
import { RegionProcess } from '../interop/region-process.ts';
import { startPostgres, type PostgresServer } from '../interop/postgres-server.ts';
import { OperatorSession } from './operator-session.ts';
import { buildRackboot } from './build-rackboot.ts';
import { CpuGroup } from './cpu-group.ts';
import { processCpu } from './cpu-time.ts';
import { median, percentile } from './median.ts';
import { preciseNow, type PlanNews, type SwarmOrder, type SwarmStep, type SwarmWord } from './region-swarm.ts';
import { residentMegabytes } from './resident.ts';
import { EVENTS_OF_A_BOOT, machineAddress, machineMac, networkOf, rackName } from './simulated-rack.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const SWARM = join(import.meta.dirname, 'region-swarm.ts');
/** Each rack has a disk of its own, so theirs are no file of the disk that PostgreSQL writes to. */
const MEMORY = '/dev/shm';
const DATABASE = 'region';
const MACHINES = 40;
const NEWS_WITHIN = 120_000;

/** How much of it is measured. */
interface Size {
  readonly racks: number;
  readonly globalChanges: number;
  readonly idleSeconds: number;
  readonly storms: number;
}

/** What a while cost. */
interface Cost {
  readonly seconds: number;
  readonly region: number;
  readonly postgres: number;
}

/** A thousand racks of forty machines that follow one region on one PostgreSQL, by TLS: how fast plans come and events go, and what it costs. */
export async function benchRegion({ quick }: { readonly quick: boolean }): Promise<void> {
  await ensurePackages([POSTGRESQL], console.log);
  await buildRackboot();
  const size: Size = quick
    ? { racks: 100, globalChanges: 3, idleSeconds: 10, storms: 1 }
    : { racks: 1_000, globalChanges: 9, idleSeconds: 90, storms: 3 };
  console.log(
    `${size.racks} racks of ${MACHINES} machines each; the racks are on the same cores as the region and PostgreSQL`,
  );
  await using parts = new AsyncDisposableStack();
  const group = new CpuGroup(`rackboot-bench-${process.pid}`);
  parts.defer(() => group.close());
  const postgres = parts.use(await startPostgres());
  group.adopt(postgres.pid);
  const url = postgres.create(DATABASE);
  const authority = new Authority();
  const { cert, key } = authority.issue([127, 0, 0, 1]);
  const directory = parts.adopt(mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'rackboot-bench-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key, { mode: 0o600 });
  const config = `tls: { certificate: ${directory}/cert.pem, key: ${directory}/key.pem }\n`;
  const region = parts.use(await RegionProcess.start({ database: url, config, main: MAIN, scheme: 'https' }));
  const database = await openPostgresDatabase(url, console.error);
  parts.defer(() => database.close());
  mkdirSync(join(directory, 'racks'));
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  const trust = { pins: [createHash('sha256').update(spki).digest('hex')] };
  const swarm = new SwarmProcess();
  parts.defer(() => swarm.kill());
  parts.defer(() => complain(region.log));
  await new RegionBench({ size, region, postgres, group, database, swarm, ca: authority.cert }).run({
    url: region.url,
    trust,
    directory: join(directory, 'racks'),
    machines: MACHINES,
  });
}

/** The racks' process. */
class SwarmProcess {
  readonly #child: ChildProcess = fork(SWARM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  readonly #waiting = new Map<SwarmStep, (seconds: number) => void>();
  readonly #news: PlanNews[] = [];

  constructor() {
    this.#child.on('message', (word: SwarmWord) => {
      if ('news' in word) this.#news.push(...word.news);
      else this.#waiting.get(word.done)?.(word.seconds);
    });
  }

  order(order: SwarmOrder): void {
    this.#child.send(order);
  }

  /** Seconds that it took. */
  step(step: SwarmStep): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('the racks ended'));
      this.#child.once('exit', fail);
      this.#waiting.set(step, (seconds) => {
        this.#child.off('exit', fail);
        resolve(seconds);
      });
      this.#child.send(step);
    });
  }

  /** The first news of each rack that is behind `since`, when all of these racks have some. */
  async heard(racks: readonly number[], since: ReadonlyMap<number, number>): Promise<readonly PlanNews[]> {
    for (let waited = 0; ; waited += 5) {
      const first = new Map<number, PlanNews>();
      for (const news of this.#news)
        if (news.version > (since.get(news.rack) ?? 0) && !first.has(news.rack)) first.set(news.rack, news);
      const found = racks.flatMap((rack) => first.get(rack) ?? []);
      if (found.length === racks.length) return found;
      if (waited > NEWS_WITHIN) throw new Error(`${racks.length - found.length} racks have heard nothing`);
      await sleep(5);
    }
  }

  /** The newest version of each rack. */
  versions(): Map<number, number> {
    const versions = new Map<number, number>();
    for (const { rack, version } of this.#news) versions.set(rack, Math.max(version, versions.get(rack) ?? 0));
    this.#news.length = 0;
    return versions;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

interface BenchParts {
  readonly size: Size;
  readonly region: RegionProcess;
  readonly postgres: PostgresServer;
  readonly group: CpuGroup;
  readonly database: Database;
  readonly swarm: SwarmProcess;
  readonly ca: string;
}

class RegionBench {
  readonly #parts: BenchParts;
  readonly #all: readonly number[];

  constructor(parts: BenchParts) {
    this.#parts = parts;
    this.#all = Array.from({ length: parts.size.racks }, (_, rack) => rack);
  }

  async run(place: Omit<SwarmOrder, 'tokens'>): Promise<void> {
    const { region, swarm, ca } = this.#parts;
    const operator = await OperatorSession.open(region, ca);
    await this.#enrol(place);
    await this.#reserve();
    await this.#changeEach(operator);
    await this.#changeAll(operator);
    await this.#idle();
    await this.#storms();
    await this.#restart();
    await swarm.step('end');
  }

  async #enrol(place: Omit<SwarmOrder, 'tokens'>): Promise<void> {
    const { region, swarm, size } = this.#parts;
    const tokens: string[] = [];
    for (const _ of this.#all) {
      const [token] = (await region.order({ kind: 'enrol-rack', seconds: 3_600 })) as string[];
      tokens.push(token ?? '');
    }
    swarm.order({ ...place, tokens });
    let seconds = 0;
    const cost = await this.#cost(async () => {
      seconds = await swarm.step('enrol');
      await swarm.step('connected');
    });
    say(`enrolled: ${size.racks} in ${seconds.toFixed(1)} s, ${Math.round(size.racks / seconds)}/s`, cost);
    await this.#untilSubnets();
  }

  /** Racks report their wires, and the region makes a subnet of each. */
  async #untilSubnets(): Promise<void> {
    const { database, size } = this.#parts;
    for (;;) {
      const [row] = await database.query('SELECT count(*) AS subnets FROM subnet');
      if (Number(row?.['subnets']) === size.racks) return;
      await sleep(200);
    }
  }

  /** Machines with an address of their own: by SQL, as it is no operator that makes 40,000 of them one by one. */
  async #reserve(): Promise<void> {
    const { database } = this.#parts;
    for (const rack of this.#all) {
      const rows = Array.from({ length: MACHINES }, (_, machine) => ({
        ip: formatIp4(machineAddress(rack, machine)),
        mac: formatMac(machineMac(rack, machine)),
      }));
      await database.query(
        `INSERT INTO reserved_ip (subnet_id, ip, mac)
         SELECT subnet.id, new.ip, new.mac FROM jsonb_to_recordset($2::jsonb) AS new (ip inet, mac macaddr), subnet
         JOIN rack ON rack.id = rack_id WHERE rack.name = $1`,
        [rackName(rack), JSON.stringify(rows)],
      );
    }
  }

  /** For each rack in its turn: DHCP and DNS on its wire, as the document of 2015 has it. */
  async #changeEach(operator: OperatorSession): Promise<void> {
    const { swarm, database } = this.#parts;
    const rows = await database.query('SELECT id, name FROM rack');
    const ids = new Map(rows.map((row) => [String(row['name']), String(row['id'])]));
    const [asked, heard]: [number[], number[]] = [[], []];
    const cost = await this.#cost(async () => {
      for (const rack of this.#all) {
        const before = swarm.versions();
        const began = preciseNow();
        const network = formatIp4(networkOf(rack)).replace(/0$/, '');
        await operator.ask('PUT', `1.0/nodegroups/${ids.get(rackName(rack)) ?? ''}/interfaces/eth0/`, {
          management: '2',
          ip_range_low: `${network}200`,
          ip_range_high: `${network}250`,
          router_ip: `${network}254`,
        });
        asked.push(preciseNow() - began);
        const [news] = await swarm.heard([rack], before);
        if (news) heard.push(news.at - began);
      }
    });
    say(
      `one rack's plan, ${asked.length} times: request ${times(asked)}; asked until the rack has it ${times(heard)}`,
      cost,
    );
  }

  /** A change that is of concern to all racks. */
  async #changeAll(operator: OperatorSession): Promise<void> {
    const { swarm, size } = this.#parts;
    const [asked, heard, last]: [number[], number[], number[]] = [[], [], []];
    // What each rack has now
    let before = new Map<number, number>();
    const cost = await this.#cost(async () => {
      for (let change = 1; change <= size.globalChanges; change++) {
        for (const [rack, version] of swarm.versions()) before.set(rack, version);
        const began = preciseNow();
        await operator.ask('POST', '2.0/maas/?op=set_config', { name: 'upstream_dns', value: `192.0.2.${change}` });
        const answered = preciseNow();
        asked.push(answered - began);
        const news = await swarm.heard(this.#all, before);
        // Some have it before the operator has his answer
        heard.push(...news.map(({ at }) => Math.max(0, at - answered)));
        last.push(Math.max(...news.map(({ at }) => at)) - began);
        before = new Map([...before, ...news.map(({ rack, version }) => [rack, version] as const)]);
      }
    });
    say(
      `all racks' plans, ${asked.length} times: request ${times(asked)}; answered until a rack has it ${times(heard)}; asked until the last has it ${times(last)}`,
      cost,
    );
  }

  async #idle(): Promise<void> {
    const { size } = this.#parts;
    await this.#parts.swarm.step('connected');
    const cost = await this.#cost(() => sleep(size.idleSeconds * 1000));
    say(`idle, a report of each rack in 30 s: ${this.#memory()}`, cost);
  }

  /** All machines of all racks power on. */
  async #storms(): Promise<void> {
    const { size, swarm, database, postgres } = this.#parts;
    const events = size.racks * MACHINES * EVENTS_OF_A_BOOT;
    const rates: number[] = [];
    for (let storm = 1; storm <= size.storms; storm++) {
      const count = async () => Number((await database.query('SELECT count(*) AS n FROM event'))[0]?.['n']);
      const [before, bytes] = [await count(), postgres.sizeOf(DATABASE)];
      let seconds = 0;
      const cost = await this.#cost(async () => {
        seconds = await swarm.step('boot');
      });
      const came = (await count()) - before;
      if (came < events) throw new Error(`${came} events of ${events} came`);
      rates.push(came / seconds);
      const each = Math.round((postgres.sizeOf(DATABASE) - bytes) / came);
      say(
        `${size.racks * MACHINES} machines boot: ${came} events in ${seconds.toFixed(1)} s, ${Math.round(came / seconds)}/s; ${each} bytes on disk each; ${this.#memory()}`,
        cost,
      );
    }
    const [row] = await database.query('SELECT count(*) AS n FROM lease');
    console.log(
      `  median ${Math.round(median(rates))} events/s; ${String(row?.['n'])} leases known; database ${Math.round(postgres.sizeOf(DATABASE) / 1e6)} MB`,
    );
  }

  /** The region is killed, and all racks come back to it at once. */
  async #restart(): Promise<void> {
    const { region, swarm } = this.#parts;
    await region.end('SIGKILL');
    await sleep(3_000);
    await region.start();
    let seconds = 0;
    const cost = await this.#cost(async () => {
      seconds = await swarm.step('connected');
    });
    say(`killed and started: all racks are back ${seconds.toFixed(1)} s after it serves; ${this.#memory()}`, cost);
  }

  async #cost(work: () => Promise<void>): Promise<Cost> {
    const { region, group } = this.#parts;
    const began = performance.now();
    const [own, theirs] = [processCpu(region.pid), group.seconds()];
    await work();
    return {
      seconds: (performance.now() - began) / 1000,
      region: processCpu(region.pid) - own,
      postgres: group.seconds() - theirs,
    };
  }

  #memory(): string {
    return `region ${Math.round(residentMegabytes(this.#parts.region.pid))} MB resident`;
  }
}

/** What the region itself found wrong, the last of it. */
function complain(log: string): void {
  const errors = log.split('\n').filter((line) => line.includes('"level":50'));
  if (errors.length > 0) console.log(`${errors.length} errors in the region's log, the last ones:`);
  for (const line of errors.slice(-3)) console.log(line.slice(0, 1_000));
}

function say(what: string, { seconds, region, postgres }: Cost): void {
  const share = (cpu: number): string => `${((100 * cpu) / seconds).toFixed(1)} %`;
  console.log(
    `${what}\n  region ${region.toFixed(1)} CPU-s (${share(region)} of a core), PostgreSQL ${postgres.toFixed(1)} (${share(postgres)}), in ${seconds.toFixed(1)} s`,
  );
}

/** Milliseconds. */
function times(of: readonly number[]): string {
  const [p50, p99] = [percentile(of, 0.5), percentile(of, 0.99)];
  return `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${Math.max(...of).toFixed(1)} ms`;
}
