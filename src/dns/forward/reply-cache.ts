import type { NameKey } from '../../wire/dns/name.ts';
import { hashKey, type NamePath } from '../../wire/dns/name-path.ts';
import { NameTable, type Named } from '../name-table.ts';
import { GhostNames } from './ghost-names.ts';
import type { CompiledReply } from './reply-compiler.ts';

/**
 * What an entry takes beside its texts: the objects, their places in map and list. Measured with a million entries
 * (test/dns/forward/reply-cache.test.ts holds it to that).
 */
const ENTRY_SIZE = 420;
/** A tenth is for names on trial. */
const TRIAL_SHARE = 10;
/** More often than this a name need not be asked to be kept. */
const MOST_USES = 3;
/** Entries on trial that were asked again so often are kept. */
const PASSED = 1;

/**
 * Entries of one name, which are found one after the other: far more than any name has types that are asked for. Without
 * a bound, one name asked for by all types there are would make each search for it as long.
 */
const MOST_A_NAME = 32;

/** A question as the cache tells them apart: its type with the bits that change the answer. Class is IN. */
export type Slot = number;

/** Answers with and without signatures (DO), and unchecked ones (CD), are different answers (RFC 6840 §5.9). */
export function slotOf(type: number, dnssecOk: boolean, checkingDisabled: boolean): Slot {
  return type * 4 + (dnssecOk ? 2 : 0) + (checkingDisabled ? 1 : 0);
}

/** One kept reply. Times in whole seconds of the cache's clock. */
export class CacheEntry implements Named<CacheEntry> {
  readonly key: NameKey;
  readonly hash: number;
  readonly slot: Slot;
  readonly reply: CompiledReply;
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly size: number;
  /** Times that it was asked for since it came, or was spared; 3 at most. */
  uses = 0;
  /** It is being asked for again ahead of its end. */
  isRefreshing = false;
  /** Its upstreams failed: until then it is answered stale without asking them (RFC 8767 §4, failure recheck timer). */
  recheckAt = 0;
  /** Of a failure: how many came in a row. */
  failures = 0;
  isProven = false;
  /** In its queue, towards the newer and the older. */
  newer: CacheEntry | undefined;
  older: CacheEntry | undefined;
  next: CacheEntry | undefined;
  index = 0;
  /** Another type of the same name. */
  sibling: CacheEntry | undefined;

  constructor(key: NameKey, slot: Slot, reply: CompiledReply, now: number) {
    this.key = key;
    this.hash = hashKey(key);
    this.slot = slot;
    this.reply = reply;
    this.storedAt = now;
    this.expiresAt = now + reply.ttl;
    this.size = ENTRY_SIZE + key.length + reply.wire.length + reply.ttlOffsets.length;
  }
}

/** What the cache holds. */
export interface CacheLevels {
  readonly entries: number;
  readonly bytes: number;
  readonly evicted: number;
}

/**
 * Replies by question, in so many bytes. Thrown out by S3-FIFO (Yang et al., SOSP 2023): new names go through a short queue
 * on trial, and only those asked again get into the long one. So a scan, or a flood of names nobody asks for twice, pushes
 * out the tenth that is on trial and none of the names that are in use; and a hit moves nothing, as it would with LRU: it
 * counts up. A name that comes back soon after it failed its trial is remembered by its hash and goes into the long queue.
 */
export class ReplyCache {
  readonly #limit: number;
  readonly #names = new NameTable<CacheEntry>();
  readonly #trial = new EntryQueue();
  readonly #proven = new EntryQueue();
  readonly #ghosts = new GhostNames();
  #evicted = 0;

  /** `limit`: bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get levels(): CacheLevels {
    const { entries, bytes } = this.#trial;
    return { entries: entries + this.#proven.entries, bytes: bytes + this.#proven.bytes, evicted: this.#evicted };
  }

  /** Whatever is kept for the question, expired or not. */
  find(path: NamePath, slot: Slot): CacheEntry | undefined {
    return withSlot(this.#names.find(path, 0), slot);
  }

  /** As `find`, for a name that is no question in hand. */
  get(key: NameKey, slot: Slot): CacheEntry | undefined {
    return withSlot(this.#names.get(key), slot);
  }

  /** Counts that an entry was of use. */
  use(entry: CacheEntry): void {
    if (entry.uses < MOST_USES) entry.uses++;
  }

  /** Keeps a reply instead of the one before it, in whose place it comes. */
  put(key: NameKey, slot: Slot, reply: CompiledReply, now: number): CacheEntry | undefined {
    const entry = new CacheEntry(key, slot, reply, now);
    const before = this.get(key, slot);
    if (before) {
      entry.uses = before.uses;
      entry.isProven = before.isProven;
      this.remove(before);
    } else entry.isProven = this.#ghosts.recall(entry.hash, slot);
    // One that would push out a good part of all others
    if (entry.size > this.#limit / TRIAL_SHARE) return undefined;
    this.#makeRoom(entry.size);
    this.#makeRoomForType(key);
    this.#link(entry);
    this.#queueOf(entry).push(entry);
    return entry;
  }

  remove(entry: CacheEntry): void {
    this.#queueOf(entry).unlink(entry);
    const first = this.#names.get(entry.key);
    if (first === entry) {
      this.#names.delete(entry);
      if (entry.sibling) this.#names.add(entry.sibling);
      return;
    }
    let before = first;
    while (before && before.sibling !== entry) before = before.sibling;
    if (before) before.sibling = entry.sibling;
  }

  /** The table has the first of each name. */
  #link(entry: CacheEntry): void {
    const first = this.#names.get(entry.key);
    if (!first) return this.#names.add(entry);
    entry.sibling = first.sibling;
    first.sibling = entry;
  }

  #queueOf(entry: CacheEntry): EntryQueue {
    return entry.isProven ? this.#proven : this.#trial;
  }

  #makeRoom(size: number): void {
    while (this.#trial.bytes + this.#proven.bytes + size > this.#limit) {
      const isTrialLong = this.#trial.bytes * TRIAL_SHARE > this.#limit || this.#proven.entries === 0;
      if (isTrialLong) this.#endTrial();
      else this.#judgeProven();
    }
  }

  #makeRoomForType(key: NameKey): void {
    const first = this.#names.get(key);
    let [count, last] = [0, first];
    for (let entry = first; entry && last; entry = entry.sibling) {
      count++;
      if (goesBefore(entry, last)) last = entry;
    }
    if (last && count >= MOST_A_NAME) this.#evict(last);
  }

  #endTrial(): void {
    const oldest = this.#trial.oldest;
    if (!oldest) return;
    if (oldest.uses <= PASSED) return this.#evict(oldest);
    this.#trial.unlink(oldest);
    oldest.uses = 0;
    oldest.isProven = true;
    this.#proven.push(oldest);
  }

  /** Each round costs an entry one of its uses, so that the search ends. */
  #judgeProven(): void {
    const oldest = this.#proven.oldest;
    if (!oldest) return;
    if (oldest.uses === 0) return this.#evict(oldest);
    oldest.uses--;
    this.#proven.unlink(oldest);
    this.#proven.push(oldest);
  }

  #evict(entry: CacheEntry): void {
    if (!entry.isProven) this.#ghosts.remember(entry.hash, entry.slot);
    this.remove(entry);
    this.#evicted++;
  }
}

/** First in, first out; linked, so that any entry can leave. */
class EntryQueue {
  #newest: CacheEntry | undefined;
  oldest: CacheEntry | undefined;
  entries = 0;
  bytes = 0;

  push(entry: CacheEntry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest) this.#newest.newer = entry;
    else this.oldest = entry;
    this.#newest = entry;
    this.entries++;
    this.bytes += entry.size;
  }

  unlink(entry: CacheEntry): void {
    if (entry.newer) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    if (entry.older) entry.older.newer = entry.newer;
    else this.oldest = entry.newer;
    entry.newer = undefined;
    entry.older = undefined;
    this.entries--;
    this.bytes -= entry.size;
  }
}

/** The least used, of these the oldest. */
function goesBefore(entry: CacheEntry, other: CacheEntry): boolean {
  return entry.uses === other.uses ? entry.storedAt < other.storedAt : entry.uses < other.uses;
}

function withSlot(first: CacheEntry | undefined, slot: Slot): CacheEntry | undefined {
  let entry = first;
  while (entry !== undefined && entry.slot !== slot) entry = entry.sibling;
  return entry;
}
