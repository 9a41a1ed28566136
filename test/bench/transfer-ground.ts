import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { labName } from '../../src/lab/network.ts';
import type { CommandResult } from '../../src/lab/run-command.ts';
import { stopProcess } from '../../src/lab/stop-process.ts';
import { CpuGroup } from './cpu-group.ts';
import { SERVER_ADDRESS, type FileServer } from './file-servers.ts';
import { createVethPair, type Attached, type VethPair } from './veth-pair.ts';

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;
const THIRD_CORE = 2;
const CLIENT_ADDRESS = '10.0.0.2';
const PREFIX = 12;
/** Where a server asks further, on a cable of its own. */
export const UPSTREAM_ADDRESS = '10.16.0.2';
const BEFORE_UPSTREAM = '10.16.0.1';
const UPSTREAM_PREFIX = 30;
/** Every address in these is the client's; the server reaches them by CLIENT_ADDRESS. The second one's are given by DHCP. */
const CLIENT_NETWORKS = ['10.1.0.0/16', '10.2.0.0/16'];
export const FIRST_CLIENT = '10.1.0.1';
const READY_LIMIT_MILLISECONDS = 20_000;

export interface RunningServer {
  /** CPU seconds of it and of all it forked. */
  cpuSeconds(): number;
  /** Resident memory in MB of the process itself, as it is now; 0 when it has ended. */
  residentMegabytes(): number;
  /** Peers have been seen to die under load. */
  hasEnded(): boolean;
  stop(): Promise<void>;
}

/** Where file servers are measured: two namespaces, a directory of files and one for the servers, gone after `close`. */
export class TransferGround {
  readonly files: string;
  readonly #pair: VethPair;
  readonly #directory = mkdtempSync(join(tmpdir(), `${labName(pid)}-`));
  readonly #running = new Set<RunningServer>();
  #servers = 0;
  #third: Attached | undefined;

  private constructor(pair: VethPair) {
    this.#pair = pair;
    this.files = join(this.#directory, 'files');
    mkdirSync(this.files);
  }

  static async open(): Promise<TransferGround> {
    const pair = await createVethPair(`${SERVER_ADDRESS}/${PREFIX}`, `${CLIENT_ADDRESS}/${PREFIX}`);
    try {
      for (const network of CLIENT_NETWORKS) {
        await succeed(pair.prepare(['ip', 'route', 'add', network, 'via', CLIENT_ADDRESS]));
        await succeed(pair.ask(['ip', 'route', 'add', 'local', network, 'dev', 'lo']));
      }
    } catch (error) {
      await pair.close();
      throw error;
    }
    return new TransferGround(pair);
  }

  /** Random octets, as nothing on the way may gain by their sameness, behind what makes the file what its name says. */
  addFile(name: string, bytes: number, header: Uint8Array = new Uint8Array(0)): void {
    writeFileSync(join(this.files, name), Buffer.concat([header, randomBytes(bytes - header.length)]));
  }

  /** Starts a server on its core or cores; it serves once `answers` says so. */
  start(server: FileServer, answers: () => Promise<boolean>): Promise<RunningServer> {
    return this.#start(server, this.#pair, coresOf(server), answers);
  }

  /** Starts a server that only servers reach, at UPSTREAM_ADDRESS, on the clients' core. */
  async startUpstream(server: FileServer, answers: () => Promise<boolean>): Promise<RunningServer> {
    this.#third ??= await this.#pair.attach(
      `${BEFORE_UPSTREAM}/${UPSTREAM_PREFIX}`,
      `${UPSTREAM_ADDRESS}/${UPSTREAM_PREFIX}`,
    );
    return this.#start(server, this.#third, String(CLIENT_CORE), answers);
  }

  async #start(
    server: FileServer,
    place: Attached,
    cores: string,
    answers: () => Promise<boolean>,
  ): Promise<RunningServer> {
    const name = `${server.name}-${++this.#servers}`;
    const directory = join(this.#directory, name);
    mkdirSync(directory);
    const argv = await server.prepare(directory, this.files);
    const group = new CpuGroup(`${labName(pid)}-${name}`);
    const log = join(directory, 'log');
    const begin = (whole: readonly string[]): readonly string[] => group.inside(whole);
    const child = place.serve(['taskset', '-c', cores, ...argv], { log, begin });
    const { pid: server_ = 0 } = child;
    const running = {
      cpuSeconds: () => group.seconds(),
      residentMegabytes: () => residentMegabytes(server_),
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
      stop: async () => {
        this.#running.delete(running);
        await stopProcess(child);
        await group.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
    this.#running.add(running);
    await untilServing(child, log, answers);
    return running;
  }

  /** Runs a client on its core to its end. */
  ask(argv: readonly string[]): Promise<CommandResult> {
    return this.#pair.ask(['taskset', '-c', String(CLIENT_CORE), ...argv]);
  }

  /** Runs a client on its core, but where the servers are: the upstream is seen from there alone. */
  askUpstream(argv: readonly string[]): Promise<CommandResult> {
    return this.#pair.prepare(['taskset', '-c', String(CLIENT_CORE), ...argv]);
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.stop();
    await this.#pair.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Beside the clients' core, as far as there are more than two. */
function coresOf({ cores = 1 }: FileServer): string {
  if (cores === 1) return String(SERVER_CORE);
  const last = THIRD_CORE + cores - 2;
  return last < availableParallelism() ? `${SERVER_CORE},${THIRD_CORE}-${last}` : `${SERVER_CORE},${CLIENT_CORE}`;
}

async function untilServing(child: ChildProcess, log: string, answers: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + READY_LIMIT_MILLISECONDS;
  while (!(await answers())) {
    if (child.exitCode !== null || performance.now() > limit) {
      throw new Error(`${child.spawnargs.join(' ')} does not serve:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    }
    await delay(50);
  }
}

function residentMegabytes(process_: number): number {
  const file = `/proc/${process_}/status`;
  const status = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

async function succeed(running: Promise<CommandResult>): Promise<void> {
  const { code, output } = await running;
  if (code !== 0) throw new Error(output);
}
