import type { PlanAnswer } from '../contract/rack-words.ts';
import { toColumns } from '../service/lease-columns.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { RackFacts, RegionNews, RegionOrder, RegionState, RegionWish } from '../service/region-letters.ts';
import type { RackEvent } from '../timeline/event.ts';
import { RegionFeed } from './region-feed.ts';

/** What became of an answer of the region. Without faults it is in force. */
export interface AnswerOutcome {
  readonly version: number;
  readonly faults: readonly string[];
  readonly conflicts: readonly string[];
}

export interface RegionDeskDependencies {
  /** To the thread that talks to the region; lost when there is none. */
  readonly send: (news: RegionNews) => void;
  readonly facts: (withFile: boolean) => RackFacts;
  readonly leases: () => readonly LeaseFact[];
  /** Never rejects. */
  readonly takeAnswer: (answer: PlanAnswer) => Promise<AnswerOutcome>;
  /** Sees to it that it is done; does not wait for its end. */
  readonly obey: (order: RegionOrder) => void;
}

/** After these the region should know at once how the rack is. */
const NEWS: readonly string[] = [
  'plan.',
  'service.',
  'region.plan-',
  'image.published',
  'image.import-',
  'watch.scanned',
];

/** What the rack's process has to do with the region: it hands over what happens, and does what the region wants. */
export class RegionDesk {
  readonly #dependencies: RegionDeskDependencies;
  readonly #feed: RegionFeed;
  #isFollowing = false;
  #hasLeases = false;
  /** A wish for all leases that came before they were known. */
  #wish: number | undefined;
  #isNews = false;
  /** The newest answer that waits while another is taken up: those between the two are of no use to anybody. */
  #newest: PlanAnswer | undefined;
  #isTaking = false;
  #state: RegionState | undefined;

  constructor(dependencies: RegionDeskDependencies) {
    this.#dependencies = dependencies;
    this.#feed = new RegionFeed((letter) => dependencies.send(letter));
  }

  /** How it is between the two; undefined while nobody tells. */
  get state(): RegionState | undefined {
    return this.#isFollowing ? this.#state : undefined;
  }

  /** Whether there is a region to follow, by the Plan in force. */
  follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    if (isFollowing) return;
    this.#feed.clear();
    this.#state = undefined;
  }

  learn(events: readonly RackEvent[]): void {
    if (!this.#isFollowing) return;
    this.#feed.add(events);
    this.#isNews ||= events.some(({ kind }) => NEWS.some((beginning) => kind.startsWith(beginning)));
  }

  /** To be called now and then. */
  flush(): void {
    if (!this.#isFollowing) return;
    this.#feed.flush();
    if (!this.#isNews) return;
    this.#isNews = false;
    this.#dependencies.send({ kind: 'changed' });
  }

  /** The thread serves, or no longer. */
  heard(isHeard: boolean): void {
    if (isHeard) this.#feed.heard();
    else this.#feed.unheard();
  }

  /** From now on it is known which leases there are. */
  leasesKnown(): void {
    this.#hasLeases = true;
    if (this.#wish !== undefined) this.#tellLeases(this.#wish);
  }

  hear(wish: RegionWish): void {
    const { send, facts, obey } = this.#dependencies;
    switch (wish.kind) {
      case 'taken':
        this.#feed.taken(wish.number);
        break;
      case 'leases':
        this.#tellLeases(wish.id);
        break;
      case 'facts':
        send({ kind: 'facts', facts: facts(wish.withFile) });
        break;
      case 'answer':
        void this.#take(wish.answer);
        break;
      case 'order':
        obey(wish.order);
        send({ kind: 'obeyed', order: wish.order, number: wish.number });
        break;
      case 'state':
        this.#state = wish.state;
        break;
    }
  }

  #tellLeases(id: number): void {
    this.#wish = this.#hasLeases ? undefined : id;
    // Before they are known there would seem to be none
    if (!this.#hasLeases) return;
    this.#dependencies.send({ kind: 'all-leases', id, leases: toColumns(this.#dependencies.leases()) });
  }

  async #take(answer: PlanAnswer): Promise<void> {
    this.#newest = answer;
    if (this.#isTaking) return;
    this.#isTaking = true;
    for (let next: PlanAnswer | undefined = answer; next; next = this.#newest) {
      this.#newest = undefined;
      await this.#dependencies.takeAnswer(next);
      this.#dependencies.send({ kind: 'changed' });
    }
    this.#isTaking = false;
  }
}
