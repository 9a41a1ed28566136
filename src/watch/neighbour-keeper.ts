import type { EventSink } from '../service/service.ts';
import type { NeighbourFact } from '../service/watch-letters.ts';
import type { Clock } from '../system/clock.ts';
import { messageOf } from '../system/message-of.ts';
import { factOf, type Neighbour, type NeighbourTable } from './neighbour-table.ts';

/** What is lost with a crash is seen again. */
const WRITE_MILLISECONDS = 30_000;
const DAY_MILLISECONDS = 86_400_000;
/** A machine that was away so long is a new one. */
const KEEP_MILLISECONDS = 30 * DAY_MILLISECONDS;

/** What a pair is known by on disk. */
export type NeighbourKey = Pick<NeighbourFact, 'interface' | 'vlan' | 'innerVlan' | 'address' | 'mac'>;

/** Where neighbours outlive the process. */
export interface NeighbourStore {
  /** Those that were seen since `since` (Unix milliseconds); others are deleted. */
  load(since: number): NeighbourFact[];
  /** Throws when the disk does not take it; the same may then be tried again. */
  write(changed: readonly NeighbourFact[], gone: readonly NeighbourKey[]): void;
  close(): void;
}

export interface KeeperDependencies {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly table: NeighbourTable;
}

/** Keeps the known neighbours over restarts; strangers are not worth it. */
export class NeighbourKeeper {
  readonly #store: NeighbourStore;
  readonly #dependencies: KeeperDependencies;
  readonly #changed = new Set<Neighbour>();
  readonly #gone: NeighbourKey[] = [];
  #writtenAt: number;
  #fails = false;

  constructor(store: NeighbourStore, dependencies: KeeperDependencies) {
    this.#store = store;
    this.#dependencies = dependencies;
    this.#writtenAt = dependencies.clock.monotonic();
  }

  /** Those of these interfaces are known again. */
  restore(devices: ReadonlySet<string>): void {
    const { clock, table } = this.#dependencies;
    for (const fact of this.#store.load(clock.now() - KEEP_MILLISECONDS))
      if (devices.has(fact.interface)) table.restore(fact);
  }

  changed(neighbour: Neighbour): void {
    this.#changed.add(neighbour);
  }

  gone(neighbour: Neighbour): void {
    this.#changed.delete(neighbour);
    this.#gone.push(factOf(neighbour));
  }

  /** To be called now and then. */
  tick(): void {
    const now = this.#dependencies.clock.monotonic();
    if (now - this.#writtenAt < WRITE_MILLISECONDS) return;
    this.#writtenAt = now;
    const { clock, table } = this.#dependencies;
    for (const neighbour of table.stale(clock.now() - KEEP_MILLISECONDS)) {
      table.forget(neighbour);
      this.gone(neighbour);
    }
    this.#write();
  }

  close(): void {
    this.#write();
    this.#store.close();
  }

  #write(): void {
    if (this.#changed.size === 0 && this.#gone.length === 0) return;
    const { events } = this.#dependencies;
    try {
      this.#store.write(Array.from(this.#changed, factOf), this.#gone);
      this.#changed.clear();
      this.#gone.length = 0;
      if (this.#fails) events.emit({ kind: 'watch.store-works' });
      this.#fails = false;
    } catch (error) {
      const reason = messageOf(error);
      if (!this.#fails) events.emit({ kind: 'watch.store-failed', reason });
      this.#fails = true;
    }
  }
}
