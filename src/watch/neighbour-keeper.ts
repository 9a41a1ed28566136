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
/** As many as are known at most. */
const MOST_KEPT = 65_536;

/** What a pair is known by on disk. */
export type NeighbourKey = Pick<NeighbourFact, 'interface' | 'vlan' | 'innerVlan' | 'address' | 'mac'>;

/** Where neighbours outlive the process. Each throws when the disk does not let it; the same may then be tried again. */
export interface NeighbourStore {
  /** The newest `most` of those that were seen since `since` (Unix milliseconds), oldest first. */
  load(since: number, most: number): NeighbourFact[];
  /** All of it or nothing; also forgets whoever was not seen since `since`. */
  write(changed: readonly NeighbourFact[], gone: readonly NeighbourKey[], since: number): void;
  close(): void;
}

export interface KeeperDependencies {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly events: EventSink;
  readonly table: NeighbourTable;
}

/** Keeps the known neighbours over restarts; strangers are not worth it. */
export class NeighbourKeeper {
  readonly #open: () => NeighbourStore;
  readonly #dependencies: KeeperDependencies;
  readonly #changed = new Set<Neighbour>();
  #gone: NeighbourKey[] = [];
  #store: NeighbourStore | undefined;
  #devices: ReadonlySet<string> = new Set();
  #writtenAt: number;
  #fails = false;

  /** `open` throws where that can't be just now: it is tried again. */
  constructor(open: () => NeighbourStore, dependencies: KeeperDependencies) {
    this.#open = open;
    this.#dependencies = dependencies;
    this.#writtenAt = dependencies.clock.monotonic();
  }

  /** These interfaces are looked at from now on: of those that were not before, what was known is known again. */
  watch(devices: ReadonlySet<string>): void {
    const fresh = new Set([...devices].filter((device) => !this.#devices.has(device)));
    this.#devices = devices;
    if (fresh.size === 0) return;
    const isOpen = this.#store !== undefined;
    this.#write();
    if (isOpen) this.#try((store) => this.#restore(store, fresh));
  }

  changed(neighbour: Neighbour): void {
    this.#changed.add(neighbour);
  }

  /** Of more than a disk that is full has to remember, rows stay until they are old. */
  gone(neighbour: Neighbour): void {
    this.#changed.delete(neighbour);
    if (this.#gone.length < MOST_KEPT) this.#gone.push(factOf(neighbour));
  }

  /** To be called now and then. */
  tick(): void {
    const { clock, table } = this.#dependencies;
    if (clock.monotonic() - this.#writtenAt < WRITE_MILLISECONDS) return;
    this.#writtenAt = clock.monotonic();
    for (const neighbour of table.stale(this.#oldest())) table.forget(neighbour);
    this.#write();
  }

  close(): void {
    this.#write();
    this.#store?.close();
  }

  #oldest(): number {
    return Math.round(this.#dependencies.clock.now()) - KEEP_MILLISECONDS;
  }

  /** A computer without a clock of its own starts in the past: what was seen "later" was seen by then. */
  #restore(store: NeighbourStore, devices: ReadonlySet<string>): void {
    const { clock, table } = this.#dependencies;
    const now = Math.round(clock.now());
    for (const fact of store.load(this.#oldest(), MOST_KEPT))
      if (devices.has(fact.interface)) table.restore({ ...fact, lastSeen: Math.min(now, fact.lastSeen) });
  }

  #write(): void {
    if (this.#store && this.#changed.size === 0 && this.#gone.length === 0) return;
    this.#try((store) => {
      store.write(Array.from(this.#changed, factOf), this.#gone, this.#oldest());
      this.#changed.clear();
      this.#gone = [];
    });
  }

  /** When it is opened late, those it knows are known again beside those that were seen meanwhile. */
  #reach(): NeighbourStore {
    if (this.#store) return this.#store;
    const store = this.#open();
    try {
      this.#restore(store, this.#devices);
    } catch (error) {
      store.close();
      throw error;
    }
    this.#store = store;
    return store;
  }

  /** A disk that fails is told of once, and once when it works again. */
  #try(work: (store: NeighbourStore) => void): void {
    const { events } = this.#dependencies;
    try {
      work(this.#reach());
      if (this.#fails) events.emit({ kind: 'watch.store-works' });
      this.#fails = false;
    } catch (error) {
      const reason = messageOf(error);
      if (!this.#fails) events.emit({ kind: 'watch.store-failed', reason });
      this.#fails = true;
    }
  }
}
