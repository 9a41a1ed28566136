import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { fillOutbox } from '../interop/fill-outbox.ts';
import { RackRig, SIMPLE } from '../interop/rack-rig.ts';
import { RegionProcess } from '../interop/region-process.ts';
import { AckingRegion } from './acking-region.ts';
import { processCpu, threadCpu } from './cpu-time.ts';
import { median } from './median.ts';
import { measureLatency, type Latency } from './rack-latency.ts';

const PER_SECOND = 50;
const DAY = 86_400_000;
const BOUNDS = { milliseconds: 14 * DAY, bytes: 256 * 2 ** 20 };
/** A region has a computer of its own: here it gets what rack and clients leave of this one (SCHED_IDLE). */
const ELSEWHERE = ['chrt', '--idle', '0'];
const LONGEST_MILLISECONDS = 600_000;
const LOOK_MILLISECONDS = 500;

interface Trial extends Latency {
  /** Of CPU, a second: the rack's, of that its thread's that talks to the region, and the region's. */
  readonly rack: number;
  readonly sync: number;
  readonly region: number;
}

/** Who is told of the week, and how DHCP and telling went meanwhile. */
interface Listener {
  readonly name: string;
  readonly region: Pick<RegionProcess, 'start' | 'end' | 'pid'>;
  readonly trials: Trial[];
  /** Records a second. */
  readonly rates: number[];
}

/**
 * DHCP of a rack whose region is gone, and of the same while it tells a region that is back of a week. One region costs this computer
 * nothing, as one that has its own does: what it shows is the rack's doing. The other is the real one, here, on the disk that leases
 * are written to: worse than a region is anywhere but in a lab.
 */
export async function benchRegionCatchup(quick: boolean): Promise<void> {
  const { rounds, records, seconds } = quick
    ? { rounds: 1, records: 50_000, seconds: 5 }
    : { rounds: 5, records: 150_000, seconds: 20 };
  await using rig = await RackRig.create('catchup');
  await using here = await RegionProcess.start({ inside: [...rig.insideRack, ...ELSEWHERE] });
  rig.writeConfig(`${SIMPLE}region: { url: '${here.url}' }\nlog: { level: warn }\n`);
  await enrol(rig, here);
  await here.end('SIGKILL');
  await using elsewhere = new AckingRegion(here.port, [...rig.insideRack, ...ELSEWHERE]);
  const gone: Trial[] = [];
  const listeners: Listener[] = [
    { name: 'a region elsewhere', region: elsewhere, trials: [], rates: [] },
    { name: 'a region here', region: here, trials: [], rates: [] },
  ];
  for (let round = 1; round <= rounds; round++) {
    for (const { name, region, trials, rates } of listeners) {
      await rig.end('SIGTERM');
      fill(rig, records);
      await rig.start();
      // Code that was never run is slow at first, which is no matter of the region
      await measureLatency(rig, 4, PER_SECOND);
      gone.push(await trial(rig, undefined, seconds));
      await region.start();
      const rate = catchUp(rig);
      await rate.begun;
      trials.push(await trial(rig, region, seconds));
      if ((await waiting(rig)) === 0) console.log('it was told before the trial was over: the figures are too good');
      rates.push(await rate.ended);
      await region.end('SIGKILL');
      console.log(`round ${round}, gone: ${textOf(gone.slice(-1))}\n  ${name}: ${textOf(trials.slice(-1))}`);
    }
  }
  console.log(`\n${PER_SECOND} DORA/s for ${seconds} s, ${records} records, median of ${rounds}, alternating`);
  console.log(`region gone: ${textOf(gone)}`);
  for (const { name, trials, rates } of listeners) {
    const ratio = middle(trials, ({ p99 }) => p99) / middle(gone, ({ p99 }) => p99);
    console.log(`${name}: ${textOf(trials)}\n  p99 ${ratio.toFixed(2)} x; ${Math.round(median(rates))} records/s`);
  }
}

async function enrol(rig: RackRig, region: RegionProcess): Promise<void> {
  await rig.start();
  await region.adopt(rig);
  await rig.until('the region to be followed', async () => (await rig.status()).region?.link === 'connected');
}

/** A week of a rack of a thousand machines. */
function fill(rig: RackRig, count: number): void {
  const now = Date.now();
  const stretch = { from: now - 7 * DAY, to: now, first: 0, count, machines: 1_000 };
  fillOutbox(join(rig.directory, 'state'), BOUNDS, stretch);
}

async function trial(rig: RackRig, region: Pick<RegionProcess, 'pid'> | undefined, seconds: number): Promise<Trial> {
  const cpu = (): readonly [number, number, number] => {
    const pid = rig.daemon.pid ?? 0;
    return [processCpu(pid), threadCpu(pid).get('sync') ?? 0, region ? processCpu(region.pid) : 0];
  };
  const [began, before] = [performance.now(), cpu()];
  const found = await measureLatency(rig, seconds, PER_SECOND);
  const after = cpu();
  const used = (i: 0 | 1 | 2): number => ((after[i] - before[i]) * 1000) / (performance.now() - began);
  return { ...found, rack: used(0), sync: used(1), region: used(2) };
}

/** Looks how it goes on: `begun` when the first of it is told, `ended` gives how many records were told a second. */
function catchUp(rig: RackRig): { readonly begun: Promise<void>; readonly ended: Promise<number> } {
  const begun = Promise.withResolvers<void>();
  const follow = async (): Promise<number> => {
    let [first, began] = [await waiting(rig), 0];
    for (const limit = performance.now() + LONGEST_MILLISECONDS; performance.now() < limit;) {
      await delay(LOOK_MILLISECONDS);
      const left = await waiting(rig);
      if (began === 0 && left < first) {
        [first, began] = [left, performance.now()];
        begun.resolve();
      }
      if (left === 0) return (first * 1000) / (performance.now() - began);
    }
    throw new Error(`not told within ${LONGEST_MILLISECONDS / 1000} s`);
  };
  const ended = follow();
  ended.catch(begun.reject);
  return { begun: begun.promise, ended };
}

async function waiting(rig: RackRig): Promise<number> {
  return (await rig.status()).region?.waiting ?? 0;
}

function middle(trials: readonly Trial[], pick: (trial: Trial) => number): number {
  return median(trials.map(pick));
}

function textOf(trials: readonly Trial[]): string {
  const [p50, p99] = [middle(trials, (each) => each.p50), middle(trials, (each) => each.p99)];
  const [rack, sync, region] = [
    middle(trials, (each) => each.rack),
    middle(trials, (each) => each.sync),
    middle(trials, (each) => each.region),
  ].map((share) => `${(share * 100).toFixed(1)} %`);
  const lost = trials.reduce((sum, each) => sum + each.lost, 0);
  return `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms, ${lost} lost; CPU of the rack ${rack}, of that sync ${sync}; of the region ${region}`;
}
