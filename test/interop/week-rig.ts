import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import type { OutboxBounds } from '../../src/sync/outbox.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { eventsOf, fillOutbox, type NumberedEvent, type Stretch } from './fill-outbox.ts';
import { MovedClock } from './moved-clock.ts';
import { CLIENT, RACK, RackRig, SIMPLE } from './rack-rig.ts';
import { RegionProcess } from './region-process.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
export const DAYS = 7;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Of the last moment of a rack that is killed, the one may be on disk, and the other not: timeline and outbox are two files. */
const LAST_MOMENT = 2_000;
/** That nothing waits is told a moment late: so long it must be so. */
const STEADY_MILLISECONDS = 3_000;
const MACHINES = 40;
/** A rack's machines that nobody here plays: it had been told of them before it ended. */
const OTHER_MACHINES = 1_000;

/** A rack and its region as of a week ago, and the days since then, each with a life of the rack's process that ends somewhere in the middle of work. */
export class WeekRig implements AsyncDisposable {
  readonly rack: RackRig;
  readonly region: RegionProcess;
  readonly #clock: MovedClock;
  readonly #bounds: OutboxBounds;
  readonly #stretches: Stretch[] = [];
  readonly #kills: { readonly from: number; readonly to: number }[] = [];

  /** `outbox`: of the file, and the same as bounds. */
  static async create(
    name: string,
    { database, outbox, bounds }: { readonly database: string; readonly outbox: string; readonly bounds: OutboxBounds },
  ): Promise<WeekRig> {
    const rack = await RackRig.create(name);
    const clock = new MovedClock(rack.directory);
    clock.daysAgo(DAYS);
    try {
      const region = await RegionProcess.start({ database, inside: [...rack.insideRack, ...clock.wrapper] });
      const wide = SIMPLE.replace('192.168.127.100', '192.168.127.10').trimEnd();
      rack.writeConfig(`${wide}
dns: { zones: [{ name: ddns.example, update: [${CLIENT}] }] }
region: { url: '${region.url}', outbox: ${outbox} }
log: { level: warn }
`);
      return new WeekRig(rack, region, clock, bounds);
    } catch (error) {
      await rack[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(rack: RackRig, region: RegionProcess, clock: MovedClock, bounds: OutboxBounds) {
    this.rack = rack;
    this.region = region;
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** The rack is enrolled, has told all it has to tell, and then its region is killed. */
  async begin(): Promise<void> {
    const { rack, region } = this;
    await rack.start(this.#clock.wrapper);
    await region.adopt(rack);
    await this.boot('before');
    await this.untilTold();
    await region.end('SIGKILL');
    await rack.until('the region to be missed', async () => (await rack.status()).region?.link === 'lost');
    await this.boot('without');
  }

  /**
   * A day passes: the rack ends in the middle of work, has told its outbox of `count` events more before that, and starts with a clock
   * that is a day on. It serves.
   */
  async pass(day: number, count: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { rack } = this;
    const load = this.#load(day);
    await delay(100 + Math.random() * 700);
    const now = this.#clock.now();
    await rack.end(signal);
    if (signal === 'SIGKILL') this.#kills.push({ from: now - LAST_MOMENT, to: this.#clock.now() });
    await load;
    const stretch = { from: now + MINUTE, to: now + DAY - MINUTE, first: this.filled, count, machines: OTHER_MACHINES };
    this.#stretches.push(stretch);
    fillOutbox(join(rack.directory, 'state'), this.#bounds, stretch);
    this.#clock.daysAgo(DAYS - day);
    await rack.start(this.#clock.wrapper);
    await this.boot(`day${day}-`);
  }

  /** Of events that no process here was there for. */
  get filled(): number {
    return this.#stretches.reduce((sum, { count }) => sum + count, 0);
  }

  *allFilled(): Generator<NumberedEvent> {
    for (const stretch of this.#stretches) yield* eventsOf(stretch);
  }

  /** Whether it can't be known on which of the two disks it is. */
  isOfLastMoment({ at }: Pick<RackEvent, 'at'>): boolean {
    return this.#kills.some(({ from, to }) => at >= from && at <= to);
  }

  /** Machines get their addresses, all of them. */
  async boot(name: string, count = MACHINES): Promise<void> {
    const asked = await this.rack.client(execPath, DORA_CLIENT, String(count), String(count), name);
    assert.equal(asked.code, 0, asked.output);
  }

  async waiting(): Promise<number> {
    return (await this.rack.status()).region?.waiting ?? 0;
  }

  async untilTold(seconds = 60): Promise<void> {
    let since: number | undefined;
    const isTold = async (): Promise<boolean> => {
      const { region } = await this.rack.status();
      const isSo = region?.link === 'connected' && region.waiting === 0;
      since = isSo ? (since ?? performance.now()) : undefined;
      return since !== undefined && performance.now() - since > STEADY_MILLISECONDS;
    };
    await this.rack.until('all to be told', isTold, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rack[Symbol.asyncDispose]();
    await this.region[Symbol.asyncDispose]();
  }

  /** All sorts of clients at once; the rack may go away under them, so that nothing is said of how they fare. */
  async #load(day: number): Promise<void> {
    const { rack } = this;
    const update = join(rack.directory, 'update');
    writeFileSync(
      update,
      `server ${RACK}\nzone ddns.example\nupdate add day${day}.ddns.example 60 A 192.0.2.7\nsend\n`,
    );
    const perfdhcp = `perfdhcp -4 -g single -l ${CLIENT} -r 60 -f 20 -F 20 -p 1 -W 1 -R 60 -b mac=02:cc:00:00:00:00 ${RACK}`;
    await Promise.all([
      rack.client(execPath, DORA_CLIENT, String(MACHINES), String(MACHINES), `late${day}-`, 'release'),
      rack.client(...perfdhcp.split(' ')),
      rack.client('nsupdate', '-t', '1', update),
      rack.client('dig', '+time=1', '+tries=1', `@${RACK}`, 'day1-1.rack.test'),
      rack.client('curl', '-s', '-m', '1', '-o', '/dev/null', `http://${RACK}:5248/snponly.efi`),
      rack.client('curl', '-s', '-m', '1', '-o', '/dev/null', `tftp://${RACK}/undionly.kpxe`),
    ]);
  }
}
