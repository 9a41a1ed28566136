import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { ensurePackages } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { median } from './median.ts';

const SERVER = join(import.meta.dirname, 'canned-server.ts');
const KINDS = ['poll', 'dgram'] as const;
type Kind = (typeof KINDS)[number];

interface Run {
  readonly rate: number;
  readonly cpuMicroseconds: number;
}

/** The socket layer (recvmmsg, sendmmsg) against node:dgram: one server thread, dnsperf on the other core. */
export async function benchSockets(quick: boolean): Promise<void> {
  await ensurePackages([{ package: 'dnsperf', provides: ['dnsperf'] }], console.log);
  const rounds = quick ? 3 : 7;
  const seconds = quick ? 1 : 3;
  const runs: Record<Kind, Run[]> = { poll: [], dgram: [] };
  for (let i = 0; i < rounds; i++) for (const kind of KINDS) runs[kind].push(await measure(kind, seconds));
  console.log(`dnsperf -c 8 -q 200, ${seconds} s a run, median of ${rounds}, alternating`);
  const figures = KINDS.map((kind) => ({
    kind,
    rate: median(runs[kind].map((run) => run.rate)),
    cpu: median(runs[kind].map((run) => run.cpuMicroseconds)),
  }));
  for (const { kind, rate, cpu } of figures) {
    console.log(
      `${kind.padEnd(6)} ${Math.round(rate).toLocaleString('en').padStart(9)} queries/s  ${cpu.toFixed(2)} µs CPU a query`,
    );
  }
  const ratios = runs.poll.map((run, i) => run.rate / (runs.dgram[i]?.rate ?? Number.NaN));
  const cpuRatios = runs.poll.map((run, i) => run.cpuMicroseconds / (runs.dgram[i]?.cpuMicroseconds ?? Number.NaN));
  console.log(
    `poll / dgram, pair by pair: ${median(ratios).toFixed(2)} × the rate, ${median(cpuRatios).toFixed(2)} × the CPU`,
  );
}

async function measure(kind: Kind, seconds: number): Promise<Run> {
  const server = spawn('taskset', ['-c', '0', process.execPath, SERVER, kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const port = String((await lines.next()).value);
  const { rate, queries } = await load(port, seconds);
  const cpuSeconds = await finish(server, lines);
  return { rate, cpuMicroseconds: (cpuSeconds * 1e6) / queries };
}

async function load(port: string, seconds: number): Promise<{ rate: number; queries: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-bench-'));
  const questions = join(directory, 'questions');
  writeFileSync(questions, Array.from({ length: 1000 }, (_, i) => `node${i}.rack.test A\n`).join(''));
  const argv = [
    'taskset',
    '-c',
    '1',
    'dnsperf',
    '-s',
    '127.0.0.1',
    '-p',
    port,
    '-d',
    questions,
    '-c',
    '8',
    '-q',
    '200',
    '-l',
    String(seconds),
  ];
  const { stdout, output } = await runCommand(argv);
  rmSync(directory, { recursive: true });
  const rate = Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1]);
  const queries = Number(/Queries completed:\s+(\d+)/.exec(stdout)?.[1]);
  if (!(rate > 0 && queries > 0)) throw new Error(`dnsperf said:\n${output}`);
  return { rate, queries };
}

type Server = ChildProcessByStdio<Writable, Readable, null>;

async function finish(server: Server, lines: AsyncIterator<string>): Promise<number> {
  server.stdin.end();
  const cpu = Number((await lines.next()).value);
  if (server.exitCode === null) await once(server, 'exit');
  return cpu;
}
