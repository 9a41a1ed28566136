import { join } from 'node:path';
import { execPath } from 'node:process';

import { RackRig, SIMPLE } from '../interop/rack-rig.ts';
import { processCpu } from './cpu-time.ts';
import { measureLatency, type Latency } from './rack-latency.ts';
import { residentMegabytes } from './resident.ts';

const PER_SECOND = 100;

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
  const cpu = processCpu(rig.daemon.pid ?? 0);
  const flood =
    device === undefined ? undefined : rig.client(execPath, script('arp-flood.ts'), `${seconds + 2}`, device);
  const found = await measureLatency(rig, seconds, PER_SECOND);
  const sent = Number((await flood)?.stdout ?? 0);
  const { answered, lost, p50, p99, most } = found;
  const waits = [p50, p99, most].map((wait) => wait.toFixed(2)).join(', ');
  const costs = `${(processCpu(rig.daemon.pid ?? 0) - cpu).toFixed(1)} s of CPU, ${resident(rig)} MB resident`;
  console.log(
    `${what.padEnd(17)} ${sent} frames; ${answered} DORA, ${lost} lost, p50, p99, most: ${waits} ms; ${costs}`,
  );
  return found;
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}

/** Megabytes. */
function resident({ daemon }: RackRig): number {
  return Math.round(residentMegabytes(daemon.pid ?? 0));
}
