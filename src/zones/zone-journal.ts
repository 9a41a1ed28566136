import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { isDamage } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import type { OpenedZones } from './open-zone-store.ts';
import { isLater, serialOf, type ZoneChange } from './zone-change.ts';
import { nextSerial } from './zone-history.ts';
import type { Overlay, SqliteZoneStore, StoredZone, StrandedZone } from './zone-store.ts';

/** How long changes are gathered before they are written, in milliseconds. */
const GATHER = 50;
/** Rows written before whoever asks has its turn: a millisecond or two. */
const SLICE = 200;
/** How long a disk that took nothing is left alone. */
const RETRY = 30_000;
/**
 * Serials that are reserved ahead in zones of the rack: a sync for each of them would be one for each lease, and after a crash
 * those that were not used are passed over. A zone of a file changes seldom, and its serials mean something to its owner.
 */
const AHEAD = 1000;

/** What the journal is built from. */
export interface JournalContext {
  readonly loop: Loop;
  readonly clock: Clock;
  /** Opens the file; called again when the disk took nothing for a while. */
  readonly open: () => OpenedZones;
  /** Told once when the disk takes nothing. */
  readonly trouble: (reason: string) => void;
  /**
   * Told when it does again. `overtaken`: zones of which serials were promised before that this process did not know of: the
   * ones it gave may have stood for something else, and what it tells of their past counts for nothing.
   */
  readonly works: (overtaken: readonly NameKey[]) => void;
  readonly replaced: (replacement: NonNullable<OpenedZones['replaced']>) => void;
  /** A zone as it is now, to be written anew; undefined for one that is served no more. */
  readonly content: (origin: NameKey) => ZoneContent | undefined;
  /** What updates did to the zones that are served now. */
  readonly overlays: () => Iterable<readonly [NameKey, LiveOverlay]>;
}

/** An overlay that changes while it is gone through. */
interface LiveOverlay {
  readonly added: Iterable<ResourceRecord>;
  readonly deleted: Iterable<ResourceRecord>;
}

/** A zone's content at one moment. */
export interface ZoneContent {
  readonly soa: ResourceRecord;
  /** All but the SOA; may be gone through later. */
  readonly records: () => Iterable<ResourceRecord>;
  readonly changes: readonly ZoneChange[];
}

/** What an update does to a zone's overlay. */
export interface OverlayChange {
  readonly put: readonly { readonly record: ResourceRecord; readonly isDeleted: boolean }[];
  readonly dropped: readonly ResourceRecord[];
}

/** What is stored of a zone. */
interface LoadedZone {
  readonly zone: StoredZone;
  /** It is what was published last; else more may have been. */
  readonly isCurrent: boolean;
  /** To be gone through once, a page at a time. It throws where they can't be read to their end. */
  readonly records: Iterable<ResourceRecord>;
}

interface Serials {
  last: number | undefined;
  /** `last` is not known to have been published: it is what was reserved. */
  isGuess: boolean;
  reserved: number;
  /** How many are reserved ahead. */
  ahead: number;
}

const NO_UPDATES: Overlay = { added: [], deleted: [] };
const NONE_GIVEN: Serials = { last: undefined, isGuess: false, reserved: 0, ahead: AHEAD };

/** Rows to write; tells how many they were at each pause. What is begun in one transaction may end in another. */
type Work = Generator<number, void, undefined>;

interface Waiting {
  readonly origin: NameKey;
  readonly work: Work;
}

/**
 * Serials, contents and changes of the zones, on disk a moment after they are in force. A serial that was given is never
 * given again, whatever crashes: they are reserved ahead. When the disk takes nothing all goes on from memory, and what was
 * missed is written when it does again.
 */
export class ZoneJournal {
  readonly #context: JournalContext;
  readonly #serials = new Map<NameKey, Serials>();
  readonly #queue: Waiting[] = [];
  /** Zones that have to be written anew. */
  readonly #missed = new Set<NameKey>();
  /** Zones whose reserved serials run out. */
  readonly #scarce = new Set<NameKey>();
  /** Overlays that were in a file that was set aside. */
  #lost = new Map<NameKey, LiveOverlay>();
  #store: SqliteZoneStore | undefined;
  /** What could be read where there is no store; undefined when that was nothing. */
  #stranded: ReadonlyMap<NameKey, StrandedZone> | undefined;
  #hasTrouble = false;
  #timer: Timer | undefined;

  constructor(context: JournalContext) {
    this.#context = context;
    this.#open();
  }

  load(origin: NameKey): LoadedZone | undefined {
    const store = this.#store;
    const zone = this.#attempt(() => store?.load(origin));
    const known = this.#given(origin);
    if (known !== undefined) return this.#loadAgain(origin, zone, known);
    if (!store || !zone) {
      this.#recall(origin);
      return undefined;
    }
    const stored = zone.soa && serialOf(zone.soa);
    // Where no more were reserved none was published
    const isCurrent = stored !== undefined && stored === zone.reserved;
    const [last, isGuess] = isCurrent ? [stored, false] : [zone.reserved, true];
    this.#serials.set(origin, { last, isGuess, reserved: zone.reserved, ahead: AHEAD });
    return { zone, isCurrent, records: this.#records(store, zone.id) };
  }

  /** The next serial of a zone; it is reserved. `wanted`: what its file says. */
  nextSerial(origin: NameKey, wanted?: number): number {
    const serials = this.#serials.get(origin) ?? { ...NONE_GIVEN };
    this.#serials.set(origin, serials);
    serials.ahead = wanted === undefined ? AHEAD : 0;
    const serial = this.#serialAfter(serials, wanted);
    serials.last = serial;
    serials.isGuess = false;
    if (isLater(serial, serials.reserved) || serials.reserved === 0) this.#reserve(origin, serials);
    return serial;
  }

  /** A change was published. `kept`: how many changes of the zone are known now, this one included unless it is none. */
  add(change: ZoneChange, kept: number): void {
    const { origin } = change;
    if (!this.#missed.has(origin)) this.#enqueue(origin, this.#writeChange(change, kept));
    else if (!this.#hasTrouble) this.write(origin);
  }

  /** All of a zone is to be written. */
  write(origin: NameKey): void {
    const content = this.#context.content(origin);
    if (!content) return;
    this.#missed.delete(origin);
    this.#enqueue(origin, this.#writeContent(origin, content));
  }

  /**
   * Writes what an update does, and reserves the serial that the zone then gets, with one sync; throws when it is not on disk
   * when this returns.
   */
  commitOverlay(origin: NameKey, { put, dropped }: OverlayChange): void {
    const store = this.#store;
    if (!store) throw new Error('the disk takes no writes');
    const next = this.#serialOfUpdate(origin, put);
    try {
      store.transaction(true, () => {
        const id = store.zoneId(origin);
        if (next !== undefined) store.reserve(id, next);
        for (const record of dropped) store.removeOverlay(id, record);
        for (const { record, isDeleted } of put) store.putOverlay(id, record, isDeleted);
      });
      const serials = this.#serials.get(origin);
      if (serials && next !== undefined) serials.reserved = next;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Forgets all that updates did to a zone; throws when that is not on disk when this returns. */
  clearOverlay(origin: NameKey): void {
    const store = this.#store;
    if (!store) throw new Error('the disk takes no writes');
    try {
      store.transaction(true, () => store.clearOverlay(store.zoneId(origin)));
      this.#lost.delete(origin);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** What updates did to a zone; undefined while that can't be read. */
  overlay(origin: NameKey): Overlay | undefined {
    const store = this.#store;
    if (store) return this.#attempt(() => store.overlay(origin) ?? NO_UPDATES);
    return this.#stranded && (this.#stranded.get(origin)?.overlay ?? NO_UPDATES);
  }

  /** Writes all that waits, and how far serials went. */
  close(): void {
    while (this.#queue.length > 0 && this.#store) this.#writeSome();
    this.#attempt(() => this.#store?.transaction(true, () => this.#writeLast()));
    this.#attempt(() => this.#store?.close());
    this.#store = undefined;
    this.#timer?.cancel();
  }

  /** Of zones that this process published no more is promised than was given: what is stored is current. */
  #writeLast(): void {
    for (const origin of this.#serials.keys()) {
      const last = this.#given(origin);
      if (last === undefined || !this.#store) continue;
      const id = this.#store.zoneId(origin);
      if (this.#missed.has(origin)) this.#store.unsetSoa(id);
      else this.#store.reserveNoMore(id, last);
    }
  }

  /** The serial that an update leads to, if it is still to be reserved. One that turns out to be another is reserved when it is given. */
  #serialOfUpdate(origin: NameKey, put: OverlayChange['put']): number | undefined {
    const serials = this.#serials.get(origin);
    if (serials?.last === undefined) return undefined;
    const soa = put.find(({ record, isDeleted }) => record.type === TYPE.SOA && !isDeleted)?.record;
    const next = nextSerial(serials.last, soa && serialOf(soa));
    return isLater(next, serials.reserved) ? next : undefined;
  }

  /** The serial that this process published last of a zone. */
  #given(origin: NameKey): number | undefined {
    const serials = this.#serials.get(origin);
    return serials?.isGuess === false ? serials.last : undefined;
  }

  /**
   * A zone that left and returns: this process knows how far its serials went, the disk may be behind. What is stored is then
   * the beginning of nothing, as rows that wait to be written would change it while it is read.
   */
  #loadAgain(origin: NameKey, zone: StoredZone | undefined, known: number): LoadedZone | undefined {
    const store = this.#store;
    const isWhole = !this.#missed.has(origin) && !this.#queue.some((waiting) => waiting.origin === origin);
    if (!store || !isWhole || !zone?.soa || serialOf(zone.soa) !== known) return undefined;
    return { zone, isCurrent: true, records: this.#records(store, zone.id) };
  }

  *#records(store: SqliteZoneStore, id: number): Generator<ResourceRecord> {
    let after: ResourceRecord | undefined;
    for (;;) {
      const page: readonly ResourceRecord[] = this.#page(store, id, after);
      yield* page;
      after = page.at(-1);
      if (!after || page.length < SLICE) return;
    }
  }

  #page(store: SqliteZoneStore, id: number, after: ResourceRecord | undefined): readonly ResourceRecord[] {
    // Another file may have been begun since: what it holds under this number is not what was here
    const page = this.#store === store ? this.#attempt(() => store.page(id, after, SLICE)) : undefined;
    if (!page) throw new Error('the records of a zone can not be read to their end');
    return page;
  }

  /** Where the last one is not known for sure, a disk that lost more than it may have is made up for by the clock. */
  #serialAfter({ last, isGuess }: Serials, wanted: number | undefined): number {
    const now = Math.floor(this.#context.clock.now() / 1000) >>> 0;
    if (last === undefined) return wanted ?? now;
    return nextSerial(last, wanted ?? (isGuess ? now : undefined));
  }

  /** The serials that were promised before the disk was lost. */
  #recall(origin: NameKey): void {
    const reserved = this.#stranded?.get(origin)?.reserved;
    if (reserved !== undefined) this.#serials.set(origin, { last: reserved, isGuess: true, reserved, ahead: AHEAD });
  }

  #open(): void {
    const { store, replaced, fault, stranded } = this.#context.open();
    this.#store = store;
    this.#stranded = stranded;
    if (replaced) {
      this.#lost = new Map(this.#context.overlays());
      this.#context.replaced(replaced);
    }
    if (fault !== undefined) this.#fail(new Error(fault));
  }

  #reserve(origin: NameKey, serials: Serials): void {
    const reserved = ((serials.last ?? 0) + serials.ahead) >>> 0;
    const store = this.#store;
    if (!store) return;
    try {
      store.transaction(true, () => store.reserve(store.zoneId(origin), reserved));
      serials.reserved = reserved;
    } catch (error) {
      this.#fail(error);
    }
  }

  #enqueue(origin: NameKey, work: Work): void {
    // What waited would go on top of what is missed
    if (!this.#store || this.#hasTrouble) return void this.#missed.add(origin);
    this.#queue.push({ origin, work });
    this.#schedule(GATHER);
  }

  #schedule(milliseconds: number): void {
    this.#timer ??= this.#context.loop.after(milliseconds, () => {
      this.#timer = undefined;
      this.#writeSome();
      if (this.#queue.length > 0) this.#schedule(0);
    });
  }

  /** One transaction's worth of what waits. */
  #writeSome(): void {
    const store = this.#store;
    if (!store) return;
    try {
      store.transaction(false, () => {
        for (let rows = 0; rows < SLICE && this.#queue.length > 0;) {
          const { done, value } = this.#queue[0]?.work.next() ?? { done: true };
          if (done) this.#queue.shift();
          rows += value ?? 1;
        }
      });
      this.#reserveAhead(store);
      if (this.#queue.length === 0) this.#lost.clear();
    } catch (error) {
      this.#fail(error);
    }
  }

  *#writeChange(change: ZoneChange, kept: number): Work {
    const store = this.#store;
    if (!store) return;
    const id = store.zoneId(change.origin);
    // A transaction may end behind any of its rows: until the last is written the records are those of no serial
    if (change.removed.length + change.added.length > 0) store.unsetSoa(id);
    for (const record of change.removed) {
      store.remove(id, record);
      yield 1;
    }
    for (const record of change.added) {
      store.put(id, record);
      yield 1;
    }
    if (kept > 0) store.addChange(id, change);
    store.trimChanges(id, kept);
    store.setSoa(id, change.to);
    this.#noteScarce(change.origin);
  }

  *#writeContent(origin: NameKey, { soa, records, changes }: ZoneContent): Work {
    const store = this.#store;
    if (!store) return;
    const id = store.zoneId(origin);
    store.unsetSoa(id);
    store.trimChanges(id, 0);
    for (let count = SLICE; count === SLICE; yield count) count = store.clearSome(id, SLICE);
    for (const record of records()) {
      store.put(id, record);
      yield 1;
    }
    for (const change of changes) {
      store.addChange(id, change);
      yield 1;
    }
    store.setSoa(id, soa);
    this.#noteScarce(origin);
  }

  /** What updates do meanwhile is written by them, and seen by who goes through the rest. */
  *#writeOverlay(origin: NameKey, { added, deleted }: LiveOverlay): Work {
    const store = this.#store;
    if (!store) return;
    const id = store.zoneId(origin);
    for (const [records, isDeleted] of [[added, false] as const, [deleted, true] as const]) {
      for (const record of records) {
        // It was cleared meanwhile
        if (!this.#lost.has(origin)) return;
        store.putOverlay(id, record, isDeleted);
        yield 1;
      }
    }
    // What is reserved is synced, and this with it
    this.#scarce.add(origin);
  }

  #noteScarce(origin: NameKey): void {
    const serials = this.#serials.get(origin);
    if (serials?.last === undefined) return;
    const half = (serials.last + Math.floor(serials.ahead / 2)) >>> 0;
    if (isLater(half, serials.reserved)) this.#scarce.add(origin);
  }

  /** Long before they run out. What is written here may be lost in a power cut; what is reserved must not be. */
  #reserveAhead(store: SqliteZoneStore): void {
    const scarce = [...this.#scarce].flatMap((origin) => {
      const serials = this.#serials.get(origin);
      return serials ? [{ origin, serials, reserved: ((serials.last ?? 0) + serials.ahead) >>> 0 }] : [];
    });
    this.#scarce.clear();
    if (scarce.length === 0) return;
    store.transaction(true, () => {
      for (const { origin, reserved } of scarce) store.reserve(store.zoneId(origin), reserved);
    });
    for (const { serials, reserved } of scarce) serials.reserved = reserved;
  }

  /** What waits is given up: the zones it is about are written anew when the disk takes it. */
  #fail(error: unknown): void {
    this.#queue.length = 0;
    // It is set aside when it is opened again
    if (isDamage(error)) this.#drop();
    for (const origin of this.#serials.keys()) this.#missed.add(origin);
    if (!this.#hasTrouble) this.#context.trouble(messageOf(error));
    this.#hasTrouble = true;
    this.#timer?.cancel();
    this.#timer = this.#context.loop.after(RETRY, () => this.#retry());
  }

  #drop(): void {
    const store = this.#store;
    this.#store = undefined;
    try {
      store?.close();
    } catch {
      // Of a damaged file nothing more can be said
    }
  }

  #retry(): void {
    this.#timer = undefined;
    if (!this.#store) this.#open();
    const store = this.#store;
    if (!store) return;
    let promises: readonly Renewed[] = [];
    try {
      // Reserved serials first: they are what a crash would hurt most
      store.transaction(true, () => {
        promises = Array.from(this.#serials, ([origin, serials]) => renew(store, origin, serials));
      });
    } catch (error) {
      return this.#fail(error);
    }
    for (const { origin, serials } of promises) this.#serials.set(origin, serials);
    const overtaken = promises.filter(({ isOvertaken }) => isOvertaken).map(({ origin }) => origin);
    this.#hasTrouble = false;
    for (const [origin, overlay] of this.#lost) this.#enqueue(origin, this.#writeOverlay(origin, overlay));
    this.#context.works(overtaken);
    // Some of them may be missed again
    const missed = [...this.#missed];
    for (const origin of missed) this.write(origin);
  }

  #attempt<Result>(read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }
}

interface Renewed {
  readonly origin: NameKey;
  readonly serials: Serials;
  /** Serials were promised before that were not known here. */
  readonly isOvertaken: boolean;
}

/** Reserves serials of a zone when the disk takes it again. */
function renew(store: SqliteZoneStore, origin: NameKey, known: Serials): Renewed {
  const id = store.zoneId(origin);
  const promised = store.reserved(id);
  const isOvertaken = promised !== 0 && (known.reserved === 0 || isLater(promised, known.reserved));
  const { last = promised } = known;
  const serials = { ...known, last: isOvertaken && isLater(promised, last) ? promised : last };
  store.reserve(id, (serials.last + serials.ahead) >>> 0);
  return { origin, serials: { ...serials, reserved: store.reserved(id) }, isOvertaken };
}
