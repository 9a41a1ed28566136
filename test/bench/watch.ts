import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';

import { RackRig, SIMPLE } from '../interop/rack-rig.ts';

const PER_SECOND = 100;

interface Latency {
  readonly answered: number;
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** DHCP while the wire is flooded with 100,000 ARP frames a second of random pairs, and while it is quiet; memory of the rack. */
export async function benchWatch(quick: boolean): Promise<void> {
  await using rig = await RackRig.create('bench', `${SIMPLE}log: { level: warn }\n`);
  await rig.start();
  for (const words of ['add flood0 type veth peer name flood1', 'set flood0 up', 'set flood1 up'])
    await rig.client('ip', 'link', ...words.split(' '));
  const seconds = quick ? 5 : 30;
  const before = resident(rig);
  const quiet = await trial(rig, 'quiet', seconds);
  // The sender takes a core of its own, which is not the rack's doing
  const elsewhere = await trial(rig, 'flooded elsewhere', seconds, 'flood0');
  const flooded = await trial(rig, 'flooded', seconds, 'client0');
  const counters = (await rig.status()).services['watch']?.counters ?? {};
  const seen = ['received.arp', 'lost.kernel', 'strangers', 'neighbours', 'evicted', 'asked', 'conflicts'];
  console.log(seen.map((name) => `${name} ${counters[name] ?? 0}`).join(', '));
  const times = [quiet, elsewhere].map(({ p99 }) => (flooded.p99 / p99).toFixed(2));
  console.log(
    `p99 ${times[0]} x quiet, ${times[1]} x with the same sender on another wire; memory ${resident(rig) - before} MB more`,
  );
}

/** Measures DHCP, while a wire is flooded where there is one to be. */
async function trial(rig: RackRig, what: string, seconds: number, device?: string): Promise<Latency> {
  const cpu = cpuSeconds(rig);
  const flood =
    device === undefined ? undefined : rig.client(execPath, script('arp-flood.ts'), `${seconds + 2}`, device);
  const found = await latency(rig, seconds);
  const sent = Number((await flood)?.stdout ?? 0);
  const { answered, lost, p50, p99, most } = found;
  const waits = [p50, p99, most].map((wait) => wait.toFixed(2)).join(', ');
  const costs = `${(cpuSeconds(rig) - cpu).toFixed(1)} s of CPU, ${resident(rig)} MB resident`;
  console.log(
    `${what.padEnd(17)} ${sent} frames; ${answered} DORA, ${lost} lost, p50, p99, most: ${waits} ms; ${costs}`,
  );
  return found;
}

async function latency(rig: RackRig, seconds: number): Promise<Latency> {
  const { stdout, output, code } = await rig.client(execPath, script('dhcp-latency.ts'), `${seconds}`, `${PER_SECOND}`);
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout) as Latency;
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}

/** Megabytes. */
function resident({ daemon }: RackRig): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000);
}

function cpuSeconds({ daemon }: RackRig): number {
  const fields = readFileSync(`/proc/${daemon.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
