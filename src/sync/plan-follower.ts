import { RACK_PATHS } from '../contract/paths.ts';
import { planAnswerSchema, type PlanAnswer } from '../contract/rack-words.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import { RegionFault } from './region-fault.ts';
import { LinkClosed, type RegionLink } from './region-link.ts';

/** Seconds that the region holds the question while there is nothing new: less than what stands between cuts off idle connections after. */
const WAIT = 55;
const ANSWER_WITHIN = 120_000;
const MOST_ANSWER = 16 * 1024 * 1024;
/** Between two plans: a change is there within a second, and a region that has one after another does not keep us busy. */
const REST = 250;
/** So many come as fast as that; of a region that changes its mind all the time one each few seconds: each costs the rack a compilation. */
const MOST_AT_ONCE = 8;
const LONG_REST = 5_000;
/** More than any plan has: deeper ones, or with more in them, could not be handed on. */
const MOST_LEVELS = 100;
const MOST_VALUES = 1_000_000;
/** After an answer that should have come later: a region that goes down answers whoever waits, and some do not know to wait. */
const EARLY_MILLISECONDS = 5_000;
const EARLY_REST = 5_000;

export interface FollowerDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly random: () => number;
  readonly link: Pick<RegionLink, 'ask' | 'distrust'>;
  readonly take: (answer: PlanAnswer) => void;
}

/** Asks for a plan that is another than the last one, over and over. */
export class PlanFollower {
  readonly #dependencies: FollowerDependencies;
  /** Of the last answer; none at first and after a trouble, as a region that was put back to an older time may have other plans by the same numbers. */
  #version: number | undefined;
  /** How many more may come fast, and since when that is so. */
  #left = MOST_AT_ONCE;
  #leftAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: FollowerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Until the link is closed. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#pause(await this.#round());
      } catch (error) {
        if (error instanceof LinkClosed) return;
        // The link knows of it, and makes us wait
        if (!(error instanceof RegionFault)) throw error;
        this.#version = undefined;
      }
    }
  }

  /** Asks once; gives how long to rest. */
  async #round(): Promise<number> {
    const { clock, link, random, take } = this.#dependencies;
    const began = clock.monotonic();
    const after = this.#version === undefined ? '' : `after=${this.#version}&`;
    const path = `${RACK_PATHS.plan}?${after}wait=${WAIT}`;
    const answer = await link.ask(
      'plan',
      { method: 'GET', path, within: ANSWER_WITHIN, most: MOST_ANSWER },
      planAnswerSchema,
    );
    if (answer && answer.version !== this.#version) {
      if (isTooMuch(answer.config)) {
        link.distrust('plan', `answers a plan of more than ${MOST_LEVELS} levels or ${MOST_VALUES} values`);
        return 0;
      }
      this.#version = answer.version;
      take(answer);
      return this.#restAfterOne();
    }
    return clock.monotonic() - began < EARLY_MILLISECONDS ? EARLY_REST * (0.2 + 0.8 * random()) : 0;
  }

  #restAfterOne(): number {
    const now = this.#dependencies.clock.monotonic();
    this.#left = Math.min(MOST_AT_ONCE, this.#left + (now - this.#leftAt) / LONG_REST) - 1;
    this.#leftAt = now;
    return this.#left >= 0 ? REST : LONG_REST;
  }

  #pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#dependencies.loop.after(milliseconds, resolve);
    });
  }
}

/** Goes level by level, as what is nested without end must not nest our calls. */
function isTooMuch(config: object): boolean {
  let level: object[] = [config];
  let values = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return true;
    const next: object[] = [];
    for (const holder of level) {
      for (const value of Object.values(holder) as unknown[]) {
        if (++values > MOST_VALUES) return true;
        if (typeof value === 'object' && value !== null) next.push(value);
      }
    }
    level = next;
  }
  return false;
}
