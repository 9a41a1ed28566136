/*
 * A process of many racks that follow one region. Its order comes as a message of its parent, and then a word for each step; it
 * answers each step with a message when it is done, and tells of each plan that a rack has.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RegionTrust } from '../../src/plan/plan.ts';
import { SimulatedRack } from './simulated-rack.ts';

const ENROL_AT_ONCE = 16;
const LOOK_MILLISECONDS = 20;
const TELL_MILLISECONDS = 50;

export interface SwarmOrder {
  readonly url: string;
  readonly trust: RegionTrust;
  readonly directory: string;
  /** One a rack. */
  readonly tokens: readonly string[];
  readonly machines: number;
}

/** `connected`: until all racks are. `boot`: all machines power on; until the region has all of it. */
export type SwarmStep = 'enrol' | 'connected' | 'boot' | 'end';

/** That a rack has a plan. `at`: Unix milliseconds, with a fraction. */
export interface PlanNews {
  readonly rack: number;
  readonly version: number;
  readonly at: number;
}

export type SwarmWord = { readonly done: SwarmStep; readonly seconds: number } | { readonly news: readonly PlanNews[] };

export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

class Swarm {
  readonly #order: SwarmOrder;
  readonly #racks: readonly SimulatedRack[];
  #news: PlanNews[] = [];

  constructor(order: SwarmOrder) {
    this.#order = order;
    const { tokens, directory, ...place } = order;
    this.#racks = tokens.map(
      (_, index) =>
        new SimulatedRack({ ...place, index, directory: join(directory, `${index}`) }, (version) =>
          this.#tell({ rack: index, version, at: preciseNow() }),
        ),
    );
  }

  async step(step: SwarmStep): Promise<void> {
    const began = performance.now();
    switch (step) {
      case 'enrol':
        await this.#enrol();
        break;
      case 'connected':
        await until(() => this.#racks.every(({ isConnected }) => isConnected));
        break;
      case 'boot':
        await this.#boot();
        break;
      case 'end':
        for (const rack of this.#racks) rack.close();
        break;
    }
    send({ done: step, seconds: (performance.now() - began) / 1000 });
  }

  async #enrol(): Promise<void> {
    const waiting = this.#order.tokens.entries();
    const work = async (): Promise<void> => {
      for (const [index, token] of waiting) {
        await this.#racks[index]?.enrol(token);
        this.#racks[index]?.start();
      }
    };
    await Promise.all(Array.from({ length: ENROL_AT_ONCE }, work));
  }

  async #boot(): Promise<void> {
    for (const rack of this.#racks) {
      rack.boot(this.#order.machines);
      await sleep(0);
    }
    await until(() => this.#racks.every(({ waiting }) => waiting === 0));
  }

  #tell(news: PlanNews): void {
    if (this.#news.push(news) > 1) return;
    setTimeout(() => send({ news: this.#news.splice(0) }), TELL_MILLISECONDS);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(LOOK_MILLISECONDS);
}

function send(word: SwarmWord): void {
  process.send?.(word);
}

let swarm: Swarm | undefined;

async function hear(message: SwarmOrder | SwarmStep): Promise<void> {
  if (typeof message !== 'string') {
    swarm = new Swarm(message);
    return;
  }
  await swarm?.step(message);
  if (message === 'end') process.disconnect?.();
}

process.on('message', (message: SwarmOrder | SwarmStep) => void hear(message));
