import type { MachineStory } from '../rack/machine-desk.ts';
import type { RackEvent } from '../timeline/event.ts';
import { askDaemon, RefusedError, streamFromDaemon } from './control-client.ts';
import { describeTrouble } from './describe-trouble.ts';
import { formatEvent } from './format-event.ts';

export interface EventsOptions {
  readonly control: string;
  readonly json: boolean;
  readonly follow: boolean;
  readonly mac?: string;
  readonly limit?: string;
  /** Ends following. */
  readonly stop: AbortSignal;
}

/** Trouble may come of nothing happening: a machine that never asks. */
const LOOK_EVERY = 10_000;

/**
 * `rackboot events`: the timeline, of all machines or one; with `follow`, until interrupted. Of one machine it also tells
 * what is wrong: at the end, or while it is followed when that changes.
 */
export async function events(options: EventsOptions, out: (line: string) => void): Promise<number> {
  const query = new URLSearchParams();
  if (options.mac !== undefined) query.set('mac', options.mac);
  if (options.limit !== undefined) query.set('limit', options.limit);
  if (options.follow) query.set('follow', '1');
  const watch = options.mac === undefined || options.json ? undefined : new TroubleWatch(options, options.mac, out);
  if (options.follow) watch?.start();
  try {
    for await (const line of streamFromDaemon(options.control, `/events?${query.toString()}`, options.stop)) {
      out(options.json ? line : formatEvent(JSON.parse(line) as RackEvent));
      if (options.follow) watch?.soon();
    }
  } finally {
    watch?.stop();
  }
  if (!options.follow) await watch?.look();
  return 0;
}

/** Tells what is wrong with a machine, each thing when it begins. */
class TroubleWatch {
  readonly #control: string;
  readonly #mac: string;
  readonly #out: (line: string) => void;
  #told: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor({ control }: EventsOptions, mac: string, out: (line: string) => void) {
    this.#control = control;
    this.#mac = mac;
    this.#out = out;
  }

  start(): void {
    this.#timer = setInterval(() => this.soon(), LOOK_EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks, unless it is about to: events come by the dozen. */
  soon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A daemon that ends is told of by the stream
    void this.look()
      .catch(() => undefined)
      .finally(() => (this.#isLooking = false));
  }

  async look(): Promise<void> {
    const troubles = (await this.#ask()).flatMap((story) => story.troubles);
    const now = new Set(troubles.map(({ kind, what }) => `${kind} ${what}`));
    for (const trouble of troubles) {
      if (this.#told.has(`${trouble.kind} ${trouble.what}`)) continue;
      for (const line of describeTrouble(trouble)) this.#out(line);
    }
    this.#told = now;
  }

  async #ask(): Promise<MachineStory[]> {
    try {
      return await askDaemon<MachineStory[]>(this.#control, `/machines?of=${encodeURIComponent(this.#mac)}`);
    } catch (error) {
      // Nobody has heard of it
      if (error instanceof RefusedError) return [];
      throw error;
    }
  }
}
