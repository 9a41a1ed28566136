import type { Ip4 } from '../addr/ip4.ts';
import { TimerHeap } from '../system/timer-heap.ts';
import type { LeaseStore } from './lease-store.ts';
import type { ClientKey, Lease } from './lease.ts';

/** Entries that the heap may hold beyond twice the live ones before it is built anew. */
const LEFT_OVER = 64;

const NONE: readonly Lease[] = [];

/**
 * Every lease ever given and not yet given to another, in memory and on disk. Changes are made in memory, then
 * promised by `commit`: after it they are on disk, or, when it throws, undone.
 */
export class LeaseBook {
  readonly #store: LeaseStore;
  readonly #byAddress = new Map<Ip4, Lease>();
  readonly #byClient = new Map<ClientKey, Lease[]>();
  /** What stood at an address before this batch: the way back when the disk refuses. */
  readonly #before = new Map<Ip4, Lease | undefined>();
  /** Leases that changed with the clock and are on disk as they were. */
  readonly #unwritten = new Set<Ip4>();
  /** Each address at the earliest time it could expire: `#scheduled` says when; other entries are left over. */
  #expiry = new TimerHeap<Ip4>();
  readonly #scheduled = new Map<Ip4, number>();
  /** `takeExpired` was asked up to here. */
  #takenUntil = Number.NEGATIVE_INFINITY;

  constructor(store: LeaseStore) {
    this.#store = store;
    for (const lease of store.load()) this.#place(lease);
  }

  /** Why the disk takes nothing, when that was known from the start. */
  get fault(): string | undefined {
    return this.#store.fault;
  }

  /** What the wall clock said at the last write, in Unix seconds. */
  get lastWrite(): number | undefined {
    return this.#store.lastWrite;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  all(): IterableIterator<Lease> {
    return this.#byAddress.values();
  }

  at(address: Ip4): Lease | undefined {
    return this.#byAddress.get(address);
  }

  /** The leases of one client, expired ones included: the addresses it would like back. Changes with the next `put`. */
  of(client: ClientKey): readonly Lease[] {
    return this.#byClient.get(client) ?? NONE;
  }

  /** Puts a new or changed lease at its address, in the place of what was there. */
  put(lease: Lease): void {
    if (!this.#before.has(lease.address)) this.#before.set(lease.address, this.#byAddress.get(lease.address));
    this.#place(lease);
  }

  /** Writes what was put since the last commit, as one transaction; undoes it all and throws when the store refuses. */
  commit(): void {
    if (this.#before.size === 0 && this.#unwritten.size === 0) return;
    try {
      this.write();
    } catch (error) {
      for (const [address, lease] of this.#before) {
        if (lease) this.#place(lease);
        else this.#remove(address);
        // It was told when it ran out: once is enough
        if (lease && lease.expires <= this.#takenUntil) this.#scheduled.delete(address);
      }
      throw error;
    } finally {
      this.#before.clear();
    }
  }

  /** Writes what is not on disk, be it nothing, and undoes nothing: throws when the store refuses. */
  write(): void {
    this.#store.write(this.#changed());
    this.#unwritten.clear();
  }

  /**
   * The wall clock was set by `seconds`: every end moves with it, so that each lease lasts as long as its client
   * was told. On disk with the next write.
   */
  shift(seconds: number): void {
    for (const [address, lease] of this.#byAddress) {
      this.#index({ ...lease, expires: lease.expires + seconds });
      this.#unwritten.add(address);
    }
    this.#takenUntil += seconds;
    for (const [address, due] of this.#scheduled) this.#scheduled.set(address, due + seconds);
    this.#sweepHeap();
  }

  /** When `takeExpired` may next have something, in Unix seconds. */
  get nextExpiry(): number | undefined {
    return this.#expiry.earliest;
  }

  /** The leases whose time ran out up to `now` (Unix seconds), each once, oldest first. */
  takeExpired(now: number): Lease[] {
    const expired: Lease[] = [];
    this.#takenUntil = now;
    for (let due = this.#expiry.earliest; due !== undefined && due <= now; due = this.#expiry.earliest) {
      const address = this.#expiry.popDue(now);
      if (address === undefined || this.#scheduled.get(address) !== due) continue;
      this.#scheduled.delete(address);
      const lease = this.#byAddress.get(address);
      if (!lease) continue;
      if (lease.expires > now) this.#schedule(lease);
      else expired.push(lease);
    }
    return expired;
  }

  close(): void {
    this.#store.close();
  }

  *#changed(): Generator<Lease> {
    for (const address of new Set([...this.#before.keys(), ...this.#unwritten])) {
      const lease = this.#byAddress.get(address);
      if (lease) yield lease;
    }
  }

  #place(lease: Lease): void {
    const previous = this.#byAddress.get(lease.address);
    if (previous && previous.client !== lease.client) this.#remove(lease.address);
    this.#index(lease);
    this.#schedule(lease);
  }

  #index(lease: Lease): void {
    this.#byAddress.set(lease.address, lease);
    const leases = this.#byClient.get(lease.client);
    if (!leases) {
      this.#byClient.set(lease.client, [lease]);
      return;
    }
    const at = leases.findIndex(({ address }) => address === lease.address);
    if (at < 0) leases.push(lease);
    else leases[at] = lease;
  }

  #remove(address: Ip4): void {
    const lease = this.#byAddress.get(address);
    if (!lease) return;
    this.#byAddress.delete(address);
    const rest = this.of(lease.client).filter((other) => other.address !== address);
    if (rest.length > 0) this.#byClient.set(lease.client, rest);
    else this.#byClient.delete(lease.client);
  }

  /** A renewal leaves the entry where it is (it is moved when it comes up); only an earlier end needs a new one. */
  #schedule(lease: Lease): void {
    const scheduled = this.#scheduled.get(lease.address);
    if (scheduled !== undefined && scheduled <= lease.expires) return;
    this.#scheduled.set(lease.address, lease.expires);
    this.#expiry.push(lease.expires, lease.address);
    if (this.#expiry.size > 2 * this.#scheduled.size + LEFT_OVER) this.#sweepHeap();
  }

  /** Clients that release and ask again leave an entry each time. */
  #sweepHeap(): void {
    this.#expiry = new TimerHeap();
    for (const [address, due] of this.#scheduled) this.#expiry.push(due, address);
  }
}
