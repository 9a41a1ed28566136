import type { EventStore } from './event-store.ts';
import type { RackEvent } from './event.ts';

/** Which events: of one machine, of one kind (`dhcp` matches all of DHCP's), at most `limit`, the newest. */
export interface EventFilter {
  readonly mac?: string;
  readonly kind?: string;
  readonly limit?: number;
}

const MOST_UNWRITTEN = 10_000;

/**
 * What happened, in order, across all services. Writing is put off and gathered: the timeline explains, it promises
 * nothing, so a crash may cost its last quarter of a second. What can't be written stays in memory, within a bound.
 */
export class Timeline {
  readonly #store: EventStore;
  readonly #followers = new Set<(events: readonly RackEvent[]) => void>();
  #unwritten: RackEvent[] = [];

  constructor(store: EventStore) {
    this.#store = store;
  }

  append(events: readonly RackEvent[]): void {
    this.#unwritten.push(...events);
    for (const follower of this.#followers) follower(events);
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
    return [...stored, ...unwritten].slice(-limit);
  }

  /** Calls `follower` with each batch from now on, until the returned function is called. */
  follow(follower: (events: readonly RackEvent[]) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  close(): void {
    this.flush();
    this.#store.close();
  }
}

export function matches(event: RackEvent, filter: EventFilter): boolean {
  if (filter.mac !== undefined && event.mac !== filter.mac) return false;
  return filter.kind === undefined || event.kind === filter.kind || event.kind.startsWith(`${filter.kind}.`);
}
