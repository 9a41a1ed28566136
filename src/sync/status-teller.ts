import { RACK_PATHS } from '../contract/paths.ts';
import { statusAnswerSchema } from '../contract/rack-words.ts';
import type { RackFacts } from '../service/region-letters.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import type { ClockSkew } from './clock-skew.ts';
import type { OutboxKeeper } from './outbox-keeper.ts';
import { RegionFault } from './region-fault.ts';
import { LinkClosed, type RegionLink } from './region-link.ts';

const EVERY = 30_000;
/** Of that, so that racks that started together do not report together. */
const EARLIER = 3_000;
/** What changes in one moment is told in one. */
const SOON = 500;
const ANSWER_WITHIN = 30_000;
const MOST_ANSWER = 64 * 1024;

export interface TellerDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly random: () => number;
  readonly version: string;
  readonly link: Pick<RegionLink, 'ask' | 'ready'>;
  readonly outbox: Pick<OutboxKeeper, 'waiting'>;
  readonly skew: Pick<ClockSkew, 'learn'>;
  /** What the rack says of itself: it comes by `hear`. */
  readonly wishForFacts: (withFile: boolean) => void;
}

/** Tells the region how this rack is, now and then and when something changed. */
export class StatusTeller {
  readonly #dependencies: TellerDependencies;
  #facts: ((facts: RackFacts) => void) | undefined;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #isSoon = false;
  #wantsFile = false;

  constructor(dependencies: TellerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Until the link is closed. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#tell();
      } catch (error) {
        if (error instanceof LinkClosed) return;
        // The link knows of it, and makes us wait
        if (error instanceof RegionFault) continue;
        throw error;
      }
      await this.#wait();
    }
  }

  hear(facts: RackFacts): void {
    this.#facts?.(facts);
  }

  /** Something is not as it was told. */
  tellSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    if (!this.#wake) return;
    this.#timer?.cancel();
    this.#timer = this.#dependencies.loop.after(SOON, this.#wake);
  }

  close(): void {
    this.#timer?.cancel();
    this.#wake?.();
  }

  async #tell(): Promise<void> {
    const { clock, link, outbox, skew, version } = this.#dependencies;
    // What is told is to be true when it is
    await link.ready('status');
    const withFile = this.#wantsFile;
    this.#isSoon = false;
    const facts = await this.#askFacts(withFile);
    const { count: waiting, oldest } = outbox.waiting();
    const report = {
      at: clock.now(),
      ...facts,
      version,
      outbox: { waiting, ...(oldest !== undefined && { oldest }) },
    };
    const body = JSON.stringify(report);
    const began = clock.monotonic();
    const wish = { method: 'POST', path: RACK_PATHS.status, body, within: ANSWER_WITHIN, most: MOST_ANSWER } as const;
    const answer = await link.ask('status', wish, statusAnswerSchema);
    if (!answer) return;
    skew.learn(answer.at, began);
    this.#wantsFile = answer.wants?.includes('file') ?? false;
    if (this.#wantsFile && !withFile) this.tellSoon();
  }

  #askFacts(withFile: boolean): Promise<RackFacts> {
    return new Promise((resolve) => {
      this.#facts = resolve;
      this.#dependencies.wishForFacts(withFile);
    });
  }

  #wait(): Promise<void> {
    const { loop, random } = this.#dependencies;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      this.#timer = loop.after(this.#isSoon ? SOON : EVERY - random() * EARLIER, this.#wake);
    });
  }
}
