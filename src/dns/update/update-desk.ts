import { formatIp4 } from '../../addr/ip4.ts';
import type { AclEntry } from '../../plan/plan.ts';
import type { Counters } from '../../service/letters.ts';
import type { EventSink } from '../../service/service.ts';
import { Tally } from '../../service/tally.ts';
import type { Clock } from '../../system/clock.ts';
import { keyText, type NameKey } from '../../wire/dns/name.ts';
import { RCODE, rcodeName } from '../../wire/dns/rcode.ts';
import { CLASS_ANY, CLASS_IN, TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { decodeUpdateSections, decodeUpdateZone, type UpdateRecord } from '../../wire/dns/update.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { OverlayChange } from '../../zones/zone-journal.ts';
import { LARGEST_SET, MOST_TYPES } from '../../zones/zone-limits.ts';
import type { ZoneOverlay } from '../../zones/zone-overlay.ts';
import { isAllowed, type Requester } from '../client-acl.ts';
import type { Zone } from '../zone.ts';
import { applyUpdates, prescan, type DataCheck } from './apply-update.ts';
import { comparableData } from './comparable-data.ts';
import { checkPrerequisites } from './check-prerequisites.ts';
import { UpdateDraft, type SetChange, type UpdatableZone } from './update-draft.ts';
import { UpdateRate } from './update-rate.ts';

/** Records that updates may have added to or deleted from one zone: some 50 MB. */
const LARGEST_OVERLAY = 250_000;

/** What an update desk asks of the zones. */
export interface UpdateZones {
  zone(origin: NameKey): Zone | undefined;
  updateAcl(origin: NameKey): readonly AclEntry[];
  /** What updates did to a zone so far; undefined while its content is not known, or the disk takes nothing. */
  overlay(origin: NameKey): ZoneOverlay | undefined;
  /** Throws when it is not on disk when this returns. */
  commit(origin: NameKey, change: OverlayChange): void;
  publish(zone: Zone): void;
}

/** Carries out dynamic updates (RFC 2136), for who may. What is answered with NOERROR is on disk. */
export class UpdateDesk {
  readonly #zones: UpdateZones;
  readonly #events: EventSink;
  readonly #check: DataCheck;
  readonly #rate: UpdateRate;
  readonly #tally = new Tally();

  constructor(context: {
    readonly zones: UpdateZones;
    readonly events: EventSink;
    readonly clock: Clock;
    readonly check: DataCheck;
  }) {
    this.#zones = context.zones;
    this.#events = context.events;
    this.#check = context.check;
    this.#rate = new UpdateRate(context.clock);
  }

  /** Any message whose opcode is UPDATE → the rcode of its answer. */
  answer(message: Uint8Array, requester: Requester): number {
    const rcode = this.#attempt(message, requester);
    this.#tally.add(rcode === RCODE.NOERROR ? 'update.done' : `update.${rcodeName(rcode)}`);
    return rcode;
  }

  counters(): Counters {
    return this.#tally.read();
  }

  #attempt(message: Uint8Array, requester: Requester): number {
    try {
      return this.#update(message, requester);
    } catch (error) {
      if (error instanceof WireError) return RCODE.FORMERR;
      throw error;
    }
  }

  #update(message: Uint8Array, requester: Requester): number {
    const { zone: origin, zoneType, zoneClass, end } = decodeUpdateZone(message);
    // §3.1
    if (zoneType !== TYPE.SOA) return RCODE.FORMERR;
    const zone = zoneClass === CLASS_IN ? this.#zones.zone(origin) : undefined;
    if (!zone) return RCODE.NOTAUTH;
    // §3.3, but before the prerequisites: who may not change a zone need not be told what is in it
    if (!isAllowed(this.#zones.updateAcl(origin), requester)) return RCODE.REFUSED;
    const overlay = this.#zones.overlay(origin);
    if (!overlay || !this.#rate.take()) return RCODE.SERVFAIL;
    // Not before it is known that they may: anybody can send a message whose records take long to read
    const { prerequisites, updates } = decodeUpdateSections(message, end);
    const view: UpdatableZone = {
      origin,
      setsOf: (name) => zone.find(name) ?? [],
      isOfFile: (record) => overlay.isOfFile(record),
    };
    const missing = checkPrerequisites(prerequisites, view);
    if (missing !== RCODE.NOERROR) return missing;
    const fault = prescan(updates, origin, this.#check);
    if (fault !== RCODE.NOERROR) return fault;
    const draft = new UpdateDraft(view);
    applyUpdates(updates, draft);
    return this.#carryOut(zone, overlay, { draft, isGone: goneBy(updates) }, requester);
  }

  /** To the disk first; then all at once. */
  #carryOut(zone: Zone, overlay: ZoneOverlay, { draft, isGone }: Wish, requester: Requester): number {
    const { sets, removed, added, own } = draft.changes();
    const change = overlay.plan(own.removed, own.added, isGone);
    if (sets.length === 0 && change.dropped.length === 0) return RCODE.NOERROR;
    if (overlay.size > LARGEST_OVERLAY && change.put.length > change.dropped.length) return RCODE.SERVFAIL;
    if (sets.some(isTooLarge) || hasTooManyTypes(zone, sets)) return RCODE.REFUSED;
    try {
      this.#zones.commit(zone.origin, change);
    } catch {
      // The journal has told of it
      return RCODE.SERVFAIL;
    }
    overlay.apply(change);
    for (const { owner, type, after } of sets) {
      if (after) zone.put(owner, after);
      else zone.remove(owner, type);
    }
    if (sets.length === 0) return RCODE.NOERROR;
    this.#zones.publish(zone);
    const by = requester.key === undefined ? formatIp4(requester.address) : keyText(requester.key);
    const counts = { added: added.length, removed: removed.length };
    this.#events.emit({ kind: 'zone.updated', zone: keyText(zone.origin), by, ...counts });
    return RCODE.NOERROR;
  }
}

/** What an update is to do. `isGone`: whether it deletes such a record, be it there or not. */
interface Wish {
  readonly draft: UpdateDraft;
  readonly isGone: (record: ResourceRecord) => boolean;
}

/** RFC 2136 §2.5.2 to §2.5.4. */
function goneBy(updates: readonly UpdateRecord[]): Wish['isGone'] {
  const deletions = Map.groupBy(
    updates.filter((update) => update.class !== CLASS_IN),
    ({ owner }) => owner,
  );
  return ({ owner, type, data }) =>
    deletions.get(owner)?.some((update) => {
      if (update.class === CLASS_ANY) return update.type === TYPE.ANY || update.type === type;
      return update.type === type && comparableData(type, update.data) === comparableData(type, data);
    }) ?? false;
}

/** A name that had as many before may lose some. */
function hasTooManyTypes(zone: Zone, sets: readonly SetChange[]): boolean {
  const more = new Map<NameKey, number>();
  for (const { owner, before, after } of sets) {
    more.set(owner, (more.get(owner) ?? 0) + Number(after !== undefined) - Number(before !== undefined));
  }
  return more.entries().some(([owner, by]) => by > 0 && (zone.find(owner)?.length ?? 0) + by > MOST_TYPES);
}

/** What was as large before may become smaller. */
function isTooLarge({ before, after }: SetChange): boolean {
  const size = after?.wire.length ?? 0;
  return size > LARGEST_SET && size > (before?.wire.length ?? 0);
}
