import { matches, type EventFilter } from './event-filter.ts';
import type { EventBounds, EventPage, EventStore } from './event-store.ts';
import type { EventShare } from './event-share.ts';
import type { RackEvent } from './event.ts';

const MOST_UNWRITTEN = 10_000;
/** Said for whoever listens: a thousand machines that are still there would push out within days what happened to them. */
const PASSING: ReadonlySet<RackEvent['kind']> = new Set<RackEvent['kind']>(['neighbour.refreshed']);
/** Milliseconds: services gather their events for a few, and a busy machine makes them wait. */
const LATE_BY = 1_000;

/**
 * What happened, in order, across all services. Writing is put off and gathered: the timeline explains, it promises
 * nothing, so a crash may cost its last quarter of a second. What can't be written stays in memory, within a bound.
 */
export class Timeline {
  readonly #store: EventStore;
  readonly #share: Pick<EventShare, 'weigh'> | undefined;
  readonly #followers = new Set<(events: readonly RackEvent[]) => void>();
  #unwritten: RackEvent[] = [];

  /** `share`: what is kept of those that tell too much; without it all is. */
  constructor(store: EventStore, share?: Pick<EventShare, 'weigh'>) {
    this.#store = store;
    this.#share = share;
  }

  get followers(): number {
    return this.#followers.size;
  }

  append(events: readonly RackEvent[]): void {
    for (const event of events) if (!PASSING.has(event.kind)) this.#keep(event);
    for (const follower of this.#followers) follower(events);
  }

  #keep(event: RackEvent): void {
    const verdict = this.#share?.weigh(event) ?? 'kept';
    if (verdict === 'kept') this.#unwritten.push(event);
    if (verdict !== 'cut') return;
    const { at, mac, address } = event;
    const whose = { ...(mac !== undefined && { mac }), ...(address !== undefined && { address }) };
    this.#unwritten.push({ kind: 'timeline.cut', at, source: 'rack', ...whose });
  }

  /** Writes what has gathered; throws when the disk refuses, and keeps the newest for the next try. */
  flush(): void {
    if (this.#unwritten.length === 0) return;
    try {
      this.#store.write(this.#unwritten);
      this.#unwritten = [];
    } catch (error) {
      this.#unwritten = this.#unwritten.slice(-MOST_UNWRITTEN);
      throw error;
    }
  }

  /** Oldest first. */
  find(filter: EventFilter): RackEvent[] {
    const limit = filter.limit ?? 1_000;
    const unwritten = this.#unwritten.filter((event) => matches(event, filter));
    const missing = limit - unwritten.length;
    const stored = missing > 0 ? this.#store.find({ ...filter, limit: missing }) : [];
    const found = [...stored, ...unwritten];
    return inOrder(found.slice(Math.max(0, found.length - limit)));
  }

  /** Calls `follower` with each batch from now on, until the returned function is called. */
  follow(follower: (events: readonly RackEvent[]) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Keeps what is within these bounds from now on. */
  bound(bounds: EventBounds): void {
    this.#store.bound(bounds);
  }

  /** Forgets what is out of bounds, also where nothing new comes; throws when the disk refuses. */
  prune(): void {
    this.#store.prune();
  }

  /** The number of the newest event that is written: see EventStore. */
  newest(): number {
    return this.#store.newest();
  }

  page(after: number, until: number, limit: number): EventPage {
    return this.#store.page(after, until, limit);
  }

  close(): void {
    try {
      this.flush();
    } finally {
      this.#store.close();
    }
  }
}

/** What one service tells may come some milliseconds behind what another told later. A clock that was set is no matter of this. */
function inOrder(events: RackEvent[]): RackEvent[] {
  for (let next = 1; next < events.length; next++) {
    const event = events[next];
    if (!event) continue;
    let at = next;
    for (let before = events[at - 1]; before && isLate(event, before); before = events[at - 1]) events[at--] = before;
    events[at] = event;
  }
  return events;
}

function isLate(event: RackEvent, before: RackEvent): boolean {
  return event.at < before.at && before.at - event.at < LATE_BY;
}
