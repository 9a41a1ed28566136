import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

const V1 = '/sys/fs/cgroup/cpuacct';
const V2 = '/sys/fs/cgroup';
const REMOVE_TRIES = 50;

/**
 * A control group that counts the CPU time of a server and of all it forks, those that ended included: what `/proc` tells
 * of one process misses a server that forks for each transfer. Needs root, and cgroups of either version.
 */
export class CpuGroup {
  readonly #directory: string;
  readonly #isV1: boolean;

  constructor(name: string) {
    this.#isV1 = existsSync(join(V1, 'cpuacct.usage'));
    this.#directory = join(this.#isV1 ? V1 : V2, name);
    mkdirSync(this.#directory);
  }

  /** The program `argv`, begun inside the group. */
  inside(argv: readonly string[]): readonly string[] {
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.#directory, 'cgroup.procs'), ...argv];
  }

  /** A process that runs, and all it has begun: from now on their time counts. */
  adopt(pid: number): void {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
    for (const each of [pid, ...children])
      try {
        if (each > 0) writeFileSync(join(this.#directory, 'cgroup.procs'), `${each}`);
      } catch (error) {
        // A child may have ended meanwhile
        if (each === pid) throw error;
      }
  }

  /** CPU seconds so far. */
  seconds(): number {
    if (this.#isV1) return Number(readFileSync(join(this.#directory, 'cpuacct.usage'), 'utf8')) / 1e9;
    const stat = readFileSync(join(this.#directory, 'cpu.stat'), 'utf8');
    return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1]) / 1e6;
  }

  /** Ends what is still in it, such as a child that waits for an ACK; the kernel may need a moment to notice. */
  async close(): Promise<void> {
    for (let tries = 0; ; tries++) {
      for (const pid of this.#processes()) kill(pid, 'SIGKILL');
      try {
        rmdirSync(this.#directory);
        return;
      } catch (error) {
        if (tries === REMOVE_TRIES) throw error;
        await delay(20);
      }
    }
  }

  #processes(): number[] {
    const text = readFileSync(join(this.#directory, 'cgroup.procs'), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }
}
