import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import type { Range } from '../../src/addr/range.ts';
import { labName } from '../../src/lab/network.ts';
import { stopProcess } from '../../src/lab/stop-process.ts';
import { processCpu, threadCpu } from './cpu-time.ts';
import { CLIENT_ADDRESS, PREFIX, SERVER_ADDRESS, type BenchServer } from './dhcp-servers.ts';
import type { Fill } from './dhcp-leases.ts';
import { answersOne, load, type LoadResult } from './perfdhcp.ts';
import type { Trial } from './rate-search.ts';
import { createVethPair, type VethPair } from './veth-pair.ts';

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;
export const MOST_LOSS = 0.01;
/** Of the DORAs asked for, how many perfdhcp must have begun: with fewer it is its own limit that is measured. */
const LEAST_BEGUN = 0.97;
const READY_LIMIT_MILLISECONDS = 20_000;
/** What a server puts off (events, log) is done by then, and counted. */
const SETTLE_MILLISECONDS = 600;

/** A server ended, or answered nobody for a long time after its start. */
export class NotServingError extends Error {
  override readonly name = 'NotServingError';
}

/** What stands in the servers' range when they start, and who asks. */
export interface Scenario {
  readonly range: Range;
  readonly fill: Fill;
  readonly clients: number;
}

export interface TrialSettings {
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** At which rate it is warmed up; the trial's own unless given. */
  readonly warmUpRate?: number;
  readonly isTimed: boolean;
}

export interface DhcpTrial extends Trial, LoadResult {
  /** DORAs that came to their ACK, a second. */
  readonly rate: number;
  readonly loss: number;
  readonly cpuMicroseconds: number;
  /** The same by thread name. */
  readonly threads: Readonly<Record<string, number>>;
  /** perfdhcp could not send so fast. */
  readonly clientLimited: boolean;
}

/** The place where trials happen: two namespaces and a directory, gone after `close`. */
export class DhcpGround {
  readonly #pair: VethPair;
  readonly #directory = mkdtempSync(join(tmpdir(), `${labName(pid)}-`));
  #server: ChildProcess | undefined;
  #trials = 0;

  private constructor(pair: VethPair) {
    this.#pair = pair;
  }

  static async open(): Promise<DhcpGround> {
    return new DhcpGround(await createVethPair(`${SERVER_ADDRESS}/${PREFIX}`, `${CLIENT_ADDRESS}/${PREFIX}`));
  }

  /** Starts `server` afresh, warms it up, then measures. */
  async run(server: BenchServer, { range, fill, clients }: Scenario, settings: TrialSettings): Promise<DhcpTrial> {
    const directory = join(this.#directory, String(++this.#trials));
    mkdirSync(directory);
    const { argv, env } = server.prepare({ directory, interface: this.#pair.serverInterface, range, fill });
    const log = join(directory, 'log');
    const child = this.#pair.serve(['taskset', '-c', String(SERVER_CORE), ...argv], { log, env });
    this.#server = child;
    try {
      await this.#untilReady(child, log);
      return await this.#measure(child.pid ?? 0, clients, settings);
    } finally {
      await stopProcess(child);
      rmSync(directory, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    if (this.#server) await stopProcess(this.#server);
    await this.#pair.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #untilReady(child: ChildProcess, log: string): Promise<void> {
    const limit = performance.now() + READY_LIMIT_MILLISECONDS;
    while (!(await answersOne(this.#pair, SERVER_ADDRESS))) {
      if (child.exitCode !== null || performance.now() > limit) {
        throw new NotServingError(
          `${child.spawnargs.join(' ')} does not serve:\n${readFileSync(log, 'utf8').slice(-2000)}`,
        );
      }
      await delay(50);
    }
  }

  async #measure(server: number, clients: number, settings: TrialSettings): Promise<DhcpTrial> {
    const { rate, seconds, warmUpSeconds, warmUpRate = rate, isTimed } = settings;
    // Every trial has MACs of its own; warming up takes some of them
    const common = { server: SERVER_ADDRESS, clients, pool: this.#trials, core: CLIENT_CORE };
    await load(this.#pair, { ...common, rate: Math.ceil(warmUpRate), seconds: warmUpSeconds });
    await delay(SETTLE_MILLISECONDS);
    const [before, threadsBefore] = [processCpu(server), threadCpu(server)];
    const result = await load(this.#pair, { ...common, pool: common.pool + 0x8000, rate, seconds, isTimed });
    await delay(SETTLE_MILLISECONDS);
    const { begun, completed } = result;
    const perDora = (cpuSeconds: number): number => (cpuSeconds * 1e6) / Math.max(completed, 1);
    const threads = [...threadCpu(server)].map(([name, cpu]) => [name, perDora(cpu - (threadsBefore.get(name) ?? 0))]);
    const loss = 1 - completed / Math.max(begun, 1);
    const clientLimited = begun < LEAST_BEGUN * rate * seconds;
    return {
      ...result,
      passed: loss < MOST_LOSS && !clientLimited,
      rate: completed / seconds,
      loss,
      clientLimited,
      cpuMicroseconds: perDora(processCpu(server) - before),
      threads: Object.fromEntries(threads) as Record<string, number>,
    };
  }
}
