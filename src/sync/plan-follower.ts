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
/** After an answer that should have come later: a region that goes down answers whoever waits, and some do not know to wait. */
const EARLY_MILLISECONDS = 5_000;
const EARLY_REST = 5_000;

export interface FollowerDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly random: () => number;
  readonly link: Pick<RegionLink, 'ask'>;
  readonly take: (answer: PlanAnswer) => void;
}

/** Asks for a plan that is another than the last one, over and over. */
export class PlanFollower {
  readonly #dependencies: FollowerDependencies;
  /** Of the last answer; none at first and after a trouble, as a region that was put back to an older time may have other plans by the same numbers. */
  #version: number | undefined;

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
      this.#version = answer.version;
      take(answer);
      return REST;
    }
    return clock.monotonic() - began < EARLY_MILLISECONDS ? EARLY_REST * (0.2 + 0.8 * random()) : 0;
  }

  #pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#dependencies.loop.after(milliseconds, resolve);
    });
  }
}
