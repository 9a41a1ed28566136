import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';

import { createLabNetwork, labName, type LabNetwork } from '../../src/lab/network.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { askDaemon } from '../../src/cli/control-client.ts';
import { median } from './median.ts';
import { residentMegabytes } from './resident.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CONFIG = (directory: string): string => `
rack: { state: ${directory}/state, control: ${directory}/control.sock }
subnets:
  - { cidr: 192.168.127.0/24, interface: rack0, management: dhcp+dns, dynamic: 192.168.127.100-192.168.127.199, domain: lab.test }
boot: { files: ${directory}/files }
`;

interface Footprint {
  readonly readyMilliseconds: number;
  readonly residentMegabytes: number;
}

/** Time from exec to ready, and resident memory with every service idle: of the build, and of the sources run as they are. */
export async function benchFootprint(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 5;
  const built = await runCommand(['npm', 'run', 'build'], { cwd: ROOT });
  if (built.code !== 0) throw new Error(built.output);
  for (const main of ['dist/main.js', 'src/main.ts']) {
    const runs: Footprint[] = [];
    for (let i = 0; i < rounds; i++) runs.push(await measure(main, quick ? 1_000 : 4_000));
    const ready = median(runs.map((run) => run.readyMilliseconds));
    const resident = median(runs.map((run) => run.residentMegabytes));
    console.log(
      `${main.padEnd(13)} ready after ${Math.round(ready)} ms, ${Math.round(resident)} MB resident when idle (median of ${rounds})`,
    );
  }
}

async function measure(main: string, idleMilliseconds: number): Promise<Footprint> {
  const network = await createLabNetwork({ name: labName(pid, 'bench'), address: '192.168.127.1/24', taps: 0 });
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-bench-'));
  try {
    mkdirSync(join(directory, 'files'));
    writeFileSync(join(directory, 'rackboot.yaml'), CONFIG(directory));
    return await measureIn(network, directory, main, idleMilliseconds);
  } finally {
    await network.close();
    rmSync(directory, { recursive: true });
  }
}

async function measureIn(network: LabNetwork, directory: string, main: string, idle: number): Promise<Footprint> {
  const began = performance.now();
  const daemon = network.exec([
    process.execPath,
    join(ROOT, main),
    'run',
    '--config',
    join(directory, 'rackboot.yaml'),
  ]);
  daemon.stdout.resume();
  daemon.stderr.pipe(process.stderr);
  while (!(await answers(join(directory, 'control.sock')))) {
    if (daemon.exitCode !== null) throw new Error('the daemon ended');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const readyMilliseconds = performance.now() - began;
  await new Promise((resolve) => setTimeout(resolve, idle));
  return { readyMilliseconds, residentMegabytes: residentMegabytes(daemon.pid ?? 0) };
}

async function answers(socket: string): Promise<boolean> {
  try {
    await askDaemon(socket, '/status');
    return true;
  } catch {
    return false;
  }
}
