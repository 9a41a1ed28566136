import type * as z from 'zod';

import type { RegionState } from '../service/region-letters.ts';
import type { EventSink } from '../service/service.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { BackOff } from './back-off.ts';
import type { RackIdentity } from './rack-identity.ts';
import type { RegionClient } from './region-client.ts';
import { readAnswer } from './read-answer.ts';
import { RegionFault } from './region-fault.ts';
import type { Question } from './transport.ts';

/** What the region is asked for: each has its own troubles, and waits for itself when it has some. */
export type Activity = 'plan' | 'events' | 'status' | 'key';

/** A key that is not known now may be in an hour, when somebody has enrolled this rack anew. */
const UNKNOWN_MILLISECONDS = 60_000;
/** Nobody is to be kept out for longer by what a region says of itself. */
const LONGEST_RETRY_AFTER = 300_000;
/** Before the next URL, as all racks of a region lose it at once; and for what waits while something else came through. */
const STEP_MILLISECONDS = 1_000;
const SOON_MILLISECONDS = 5_000;

export interface LinkDependencies {
  readonly clock: Clock;
  readonly loop: Pick<Loop, 'after'>;
  readonly events: EventSink;
  readonly random: () => number;
  readonly client: RegionClient;
  readonly identity: RackIdentity;
  /** What `state` says is another. */
  readonly changed: () => void;
}

/** Somebody ended it while it was waited for. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed';
}

/** What to ask for, but for who asks. */
export type Wish = Omit<Question, 'authorization'>;

interface Rest {
  readonly timer: Timer;
  readonly end: () => void;
}

/**
 * Asks the region, and knows how it is between the two: told once when it is lost, and once when it is back. After a failure whoever
 * asks waits, longer each time, unless there is another URL to try.
 */
export class RegionLink {
  readonly #dependencies: LinkDependencies;
  readonly #backOffs = new Map<Activity, BackOff>();
  readonly #rests = new Map<Activity, Rest>();
  /** Milliseconds, monotonic, until which each is left alone. */
  readonly #restUntil = new Map<Activity, number>();
  /** Failures in a row. */
  readonly #failures = new Map<Activity, number>();
  #link: RegionState['link'] = 'connecting';
  #since: number;
  /** Monotonic. */
  #lostAt: number | undefined;
  /** The same: when events got through for the last time. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #refusal: string | undefined;
  #fault: RegionState['fault'];
  #isClosed = false;

  constructor(dependencies: LinkDependencies) {
    this.#dependencies = dependencies;
    this.#since = dependencies.clock.now();
  }

  get isConnected(): boolean {
    return this.#link === 'connected';
  }

  /** Whether events get through, also where something else does not. */
  get canTell(): boolean {
    return (
      this.isConnected || (!this.#failures.has('events') && this.#toldAt > (this.#lostAt ?? Number.POSITIVE_INFINITY))
    );
  }

  get state(): Pick<RegionState, 'link' | 'url' | 'since' | 'fault'> {
    const { url } = this.#dependencies.client;
    return { link: this.#link, url, since: this.#since, ...(this.#fault && { fault: this.#fault }) };
  }

  /**
   * Asks once, when the time for it has come. Rejects with RegionFault; with LinkClosed when it never comes. The answer is undefined
   * where the region has nothing to say (204), as of a plan. `mayReject`: that the region does not take what is said is told to who says it, and
   * is no trouble of the two.
   */
  async ask<S extends z.ZodType>(
    activity: Activity,
    wish: Wish,
    schema: S,
    mayReject = false,
  ): Promise<z.output<S> | undefined> {
    await this.ready(activity);
    const { client, identity } = this.#dependencies;
    const { url } = client;
    const authorization = identity.authorization;
    try {
      if (authorization === undefined) throw new RegionFault('unknown', identity.whyNobody);
      const raw = await client.ask({ ...wish, authorization });
      const isNothing = raw.status === 204 && activity === 'plan';
      const answer = isNothing ? undefined : readAnswer(raw, schema, (text) => identity.hideIn(text));
      this.#check();
      this.#works(activity, url, authorization);
      return answer;
    } catch (error) {
      this.#check();
      const fault = error instanceof RegionFault ? error : new RegionFault('away', String(error));
      // Another key may be taken, or this one was changed meanwhile: that is no refusal yet
      const isUndecided = fault.kind === 'unknown' && identity.tryOther(authorization);
      if (!isUndecided && !(mayReject && fault.kind === 'rejected')) this.#fails(activity, url, fault);
      throw fault;
    }
  }

  /** What waits for a better time tries at once: this rack has another key, say. */
  wake(): void {
    this.#restUntil.clear();
    this.#backOffs.clear();
    this.#failures.clear();
    for (const rest of this.#rests.values()) rest.end();
  }

  /** It answered, but what it says of this can't be so. */
  distrust(activity: Activity, reason: string): void {
    this.#fails(activity, this.#dependencies.client.url, new RegionFault('away', reason));
  }

  close(): void {
    this.#isClosed = true;
    this.wake();
    this.#dependencies.client.close();
  }

  #check(): void {
    if (this.#isClosed) throw new LinkClosed('the rack ends, or follows no region any more');
  }

  /** Resolves when the time has come to ask for this: at once, unless it failed lately. Rejects with LinkClosed when it never comes. */
  async ready(activity: Activity): Promise<void> {
    this.#check();
    const left = (this.#restUntil.get(activity) ?? 0) - this.#dependencies.clock.monotonic();
    if (left > 0) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          timer.cancel();
          this.#rests.delete(activity);
          resolve();
        };
        const timer = this.#dependencies.loop.after(left, end);
        this.#rests.set(activity, { timer, end });
      });
    }
    this.#check();
  }

  #works(activity: Activity, url: string, authorization: string | undefined): void {
    const { clock, events, identity } = this.#dependencies;
    identity.works(authorization);
    this.#backOffs.delete(activity);
    this.#failures.delete(activity);
    if (activity === 'events') this.#toldAt = clock.monotonic();
    for (const other of this.#failures.keys()) this.#hurry(other);
    if (this.#failures.size > 0 || this.#link === 'connected') return this.#dependencies.changed();
    const seconds = this.#lostAt === undefined ? undefined : Math.round((clock.monotonic() - this.#lostAt) / 1000);
    this.#lostAt = undefined;
    this.#refusal = undefined;
    this.#become('connected');
    events.emit({ kind: 'region.connected', url, ...(seconds !== undefined && { seconds }) });
  }

  #fails(activity: Activity, url: string, fault: RegionFault): void {
    const { clock, client, events } = this.#dependencies;
    const failures = (this.#failures.get(activity) ?? 0) + 1;
    this.#failures.set(activity, failures);
    this.#fault = { at: clock.now(), reason: fault.message };
    if (fault.kind === 'unknown') {
      this.#restFor(activity, UNKNOWN_MILLISECONDS * (0.5 + this.#dependencies.random()));
      if (this.#refusal !== fault.message) events.emit({ kind: 'region.refused', reason: fault.message });
      this.#refusal = fault.message;
      this.#become('unknown');
      return;
    }
    client.moveOn(url);
    const isLastOfAll = failures % client.urls === 0;
    const wait = isLastOfAll ? this.#backOffOf(activity).next() : this.#dependencies.random() * STEP_MILLISECONDS;
    this.#restFor(activity, Math.max(wait, Math.min(fault.retryAfter, LONGEST_RETRY_AFTER)));
    if (this.#lostAt === undefined) {
      this.#lostAt = clock.monotonic();
      events.emit({ kind: 'region.lost', url, reason: fault.message });
    }
    if (this.#link !== 'lost') this.#become('lost');
    else this.#dependencies.changed();
  }

  #backOffOf(activity: Activity): BackOff {
    const backOff = this.#backOffs.get(activity) ?? new BackOff(this.#dependencies.random);
    this.#backOffs.set(activity, backOff);
    return backOff;
  }

  #restFor(activity: Activity, milliseconds: number): void {
    this.#restUntil.set(activity, this.#dependencies.clock.monotonic() + milliseconds);
  }

  /** Something else came through: that this failed is worth another try soon, and not at the same moment for all racks. */
  #hurry(activity: Activity): void {
    const rest = this.#rests.get(activity);
    const soon = this.#dependencies.clock.monotonic() + this.#dependencies.random() * SOON_MILLISECONDS;
    if (!rest || (this.#restUntil.get(activity) ?? 0) <= soon) return;
    this.#restUntil.set(activity, soon);
    rest.timer.cancel();
    const timer = this.#dependencies.loop.after(soon - this.#dependencies.clock.monotonic(), rest.end);
    this.#rests.set(activity, { timer, end: rest.end });
  }

  #become(link: RegionState['link']): void {
    if (this.#link !== link) this.#since = this.#dependencies.clock.now();
    this.#link = link;
    this.#dependencies.changed();
  }
}
