import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { compileSet, recordsOf, serialOf, withSerial, type RecordSet } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { recordSize, type ZoneChange } from '../zones/zone-change.ts';
import { ZoneHistory } from '../zones/zone-history.ts';
import type { ZoneContent, ZoneJournal } from '../zones/zone-journal.ts';
import { SliceQueue } from './slice-queue.ts';
import type { Slices } from './slices.ts';
import { buildZone, compareZones } from './zone-builder.ts';
import type { ZoneSnapshot } from './zone-snapshot.ts';
import type { Zone, ZoneKind } from './zone.ts';

/** How long a rack that starts waits for the first of its leases before it tells secondaries what it has, in milliseconds. */
const LEASES_WAIT = 2000;
/** Names that are measured between two pauses. */
const STRIDE = 128;
/** The size of a zone that is not counted yet: it keeps all of its history. */
const UNKNOWN = Number.MAX_SAFE_INTEGER / 2;

/** Hears of what was published. */
export interface PublicationListener {
  /** `soa`: that of the zone now; it changed, or is served anew. `change`: what became of it since it was published last. */
  changed(zone: NameKey, soa: ResourceRecord, change?: ZoneChange): void;
}

/** A zone as those who transfer it see it. */
export interface PublishedZone {
  readonly zone: Zone;
  readonly soa: ResourceRecord;
  readonly history: ZoneHistory;
  /** Octets of its records on the wire, owners uncompressed; more than it can be until they were counted. */
  readonly size: number;
}

interface Publication {
  zone: Zone;
  readonly history: ZoneHistory;
  /** Octets; more than it can be while they are being counted. */
  size: number;
  /** By how many octets it has grown since the count began. */
  grown: number;
  /** The serial that its file has. */
  wanted: number | undefined;
  /** What differs from what was published before is not known yet: secondaries have to wait. */
  isSettling: boolean;
  /** Gives up what is under way for it. */
  cancel: () => void;
}

/** A zone, and how it differs from what was published before. */
type Settled = { readonly zone: Zone } & Pick<ZoneChange, 'removed' | 'added'>;

/**
 * Gives zones their serials and keeps what they were. A zone that takes the place of another, of this process or the one before
 * it, goes on from that one: the same content keeps its serial, another one is a change like any other.
 */
export class ZonePublisher {
  /** A reload puts all zones of the rack in the places of those before at once. */
  readonly #work: SliceQueue;
  readonly #journal: ZoneJournal;
  readonly #listener: PublicationListener;
  readonly #publications = new Map<NameKey, Publication>();
  /** Zones that begin when the leases are known. */
  #waiting: (() => void)[] | undefined = [];
  readonly #leasesTimer: Timer;

  constructor(context: {
    readonly loop: Loop;
    readonly clock: Clock;
    readonly journal: ZoneJournal;
    readonly listener: PublicationListener;
  }) {
    this.#work = new SliceQueue(context);
    this.#journal = context.journal;
    this.#listener = context.listener;
    this.#leasesTimer = context.loop.after(LEASES_WAIT, () => this.leasesKnown());
  }

  /** What can be transferred of a zone; undefined while that is not known, and for one that is not served. */
  get(origin: NameKey): PublishedZone | undefined {
    const publication = this.#publications.get(origin);
    if (!publication || publication.isSettling) return undefined;
    const { zone, history, size } = publication;
    return { zone, soa: soaRecord(zone), history, size };
  }

  /** The content of a zone for the journal. */
  content(origin: NameKey): ZoneContent | undefined {
    const published = this.get(origin);
    if (!published) return undefined;
    const snapshot = published.zone.snapshot();
    return { soa: published.soa, records: () => snapshotRecords(snapshot), changes: published.history.changes };
  }

  /** However long they take: what is there of them now is not what this rack has to say. */
  leasesCome(): void {
    this.#leasesTimer.cancel();
  }

  /** The leases of before are in the zones: what is there now is what this rack has to say. */
  leasesKnown(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const begin of waiting) begin();
  }

  /** `zone` is served from now on, in the place of the one of its origin. */
  replace(zone: Zone): void {
    const before = this.#publications.get(zone.origin);
    // What the operator's own file says of the serial is followed where that rises
    const wanted = zone.kind === 'file' ? zone.serial : undefined;
    if (before) this.#follow(before, zone, wanted);
    else
      this.#begin({
        zone,
        wanted,
        history: new ZoneHistory(),
        size: UNKNOWN,
        grown: 0,
        isSettling: false,
        cancel: nothing,
      });
  }

  /** Something may have changed in a zone that is served. */
  publish(zone: Zone): void {
    const publication = this.#publications.get(zone.origin);
    // Settling ends with what is there then
    if (!publication || publication.zone !== zone || publication.isSettling) return;
    const change = zone.publish((serial) =>
      this.#journal.nextSerial(zone.origin, zone.kind === 'file' ? serial : undefined),
    );
    if (change) this.#record(publication, change);
  }

  /** The serials that a zone had may have stood for something else before: it gets one behind all of them, and has no past. */
  startAnew(origin: NameKey): void {
    const publication = this.#publications.get(origin);
    if (!publication) return;
    publication.cancel();
    publication.isSettling = false;
    this.#publishFirst(publication);
  }

  /** What is, or is about to be, published under an origin. */
  kindOf(origin: NameKey): ZoneKind | undefined {
    return this.#publications.get(origin)?.zone.kind;
  }

  /** Whether it is this zone that is published under its origin. */
  has(zone: Zone): boolean {
    return this.#publications.get(zone.origin)?.zone === zone;
  }

  /**
   * A zone is served no more. What is on disk of it stays, for when it is again. A name may move between the zones of files and
   * those of the rack, and the new one be here before the old one goes.
   */
  withdraw(zone: Zone): void {
    if (!this.has(zone)) return;
    this.#publications.get(zone.origin)?.cancel();
    this.#publications.delete(zone.origin);
  }

  close(): void {
    this.#work.close();
  }

  #begin(publication: Publication): void {
    const { zone, history } = publication;
    const stored = this.#journal.load(zone.origin);
    this.#publications.set(zone.origin, publication);
    const storedSoa = stored?.zone.soa;
    if (!storedSoa) return this.#publishFirst(publication);
    for (const change of stored.zone.changes) history.add(change, UNKNOWN);
    const soa = compileSet(storedSoa);
    this.#hold(publication, soa);
    const begin = (): void => {
      // It may have been withdrawn while it waited
      if (this.#publications.get(zone.origin) !== publication) return;
      this.#settle(publication, readStored(storedSoa, stored.records), soa, stored.isCurrent);
    };
    if (zone.kind === 'rack' && this.#waiting) this.#waiting.push(begin);
    else begin();
  }

  /** Nothing is known of a time before, but for serials. */
  #publishFirst(publication: Publication): void {
    const { zone, wanted, history } = publication;
    history.clear();
    zone.publishAfter(zone.soa, { removed: [], added: [] }, () => this.#journal.nextSerial(zone.origin, wanted));
    this.#measure(publication);
    this.#journal.write(zone.origin);
    this.#listener.changed(zone.origin, soaRecord(zone));
  }

  #follow(publication: Publication, zone: Zone, wanted: number | undefined): void {
    const before = publication.zone;
    const wasSettling = publication.isSettling;
    publication.zone = zone;
    publication.wanted = wanted;
    this.#hold(publication, before.soa);
    // What one that settles was to be compared with is what this one is compared with
    if (!wasSettling) this.#settle(publication, whole(before), before.soa, true);
  }

  /** Until it is known what changed it has the serial of before: that must not go back, nor come to mean something else. */
  #hold(publication: Publication, soa: RecordSet): void {
    publication.isSettling = true;
    publication.zone.put(publication.zone.origin, withSerial(publication.zone.soa, serialOf(soa)));
  }

  /** `before`: what it is compared with; undefined where that can't be read. */
  #settle(publication: Publication, before: Slices<Zone | undefined>, soa: RecordSet, isCurrent: boolean): void {
    const compare = function* (): Slices<Settled | undefined> {
      const old = yield* before;
      if (!old) return undefined;
      for (;;) {
        const { zone } = publication;
        const differences = yield* compareZones(old, zone);
        // A reload may have put yet another in its place meanwhile
        if (zone === publication.zone) return { zone, ...differences };
      }
    };
    publication.cancel();
    publication.cancel = this.#work.run(compare(), (settled) => {
      publication.isSettling = false;
      if (!settled) return this.#publishFirst(publication);
      const { zone, removed, added } = settled;
      const isSame = removed.length + added.length === 0 && zone.soa.wire === soa.wire;
      if (isSame && isCurrent) {
        zone.publishAs(soa);
        this.#listener.changed(zone.origin, soaRecord(zone));
      } else {
        const next = (): number => this.#journal.nextSerial(zone.origin, publication.wanted);
        this.#record(publication, zone.publishAfter(soa, { removed, added }, next));
      }
      this.#measure(publication);
    });
  }

  #record(publication: Publication, change: ZoneChange): void {
    const { history } = publication;
    const grown = sizeOf(change.added) - sizeOf(change.removed);
    publication.grown += grown;
    publication.size += grown;
    history.add(change, publication.size);
    this.#journal.add(change, history.changes.length);
    this.#listener.changed(change.origin, change.to, change);
  }

  /** Counts the octets of the zone as it is now; what changes meanwhile is counted by `record`. */
  #measure(publication: Publication): void {
    const { zone } = publication;
    const measureNow = function* (): Slices<number> {
      publication.grown = 0;
      return yield* measure(zone.snapshot());
    };
    this.#work.run(measureNow(), (size) => {
      if (publication.zone === zone) publication.size = size + publication.grown;
    });
  }
}

function sizeOf(records: readonly ResourceRecord[]): number {
  return records.reduce((sum, record) => sum + recordSize(record), 0);
}

function* measure(snapshot: ZoneSnapshot): Slices<number> {
  let [size, names] = [0, 0];
  for (const [owner, sets] of snapshot) {
    for (const { wire, count } of sets) size += wire.length + count * (owner.length - 2);
    if (++names % STRIDE === 0) yield;
  }
  return size;
}

/** A zone as it is stored; undefined where it can't be read. */
function* readStored(soa: ResourceRecord, records: Iterable<ResourceRecord>): Slices<Zone | undefined> {
  function* all(): Generator<ResourceRecord> {
    yield soa;
    yield* records;
  }
  try {
    return yield* buildZone(soa.owner, all(), 'file');
  } catch {
    // The journal has told of it
    return undefined;
  }
}

// oxlint-disable-next-line require-yield -- it is there already
function* whole(zone: Zone): Slices<Zone> {
  return zone;
}

/** All records of a snapshot but the SOA, in its order. */
export function* snapshotRecords(snapshot: ZoneSnapshot): Generator<ResourceRecord> {
  for (const [owner, sets] of snapshot) {
    for (const set of sets) if (set.type !== TYPE.SOA) yield* recordsOf(owner, set);
  }
}

function soaRecord(zone: Zone): ResourceRecord {
  const [soa] = recordsOf(zone.origin, zone.soa);
  if (!soa) throw new RangeError('an SOA without a record');
  return soa;
}

function nothing(): void {
  // Nothing is under way
}
