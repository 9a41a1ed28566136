import type { ZoneAnswer, ZoneFact, ZoneOrder, ZoneUpdates } from '../service/letters.ts';
import { keyText, nameKey, type NameKey } from '../wire/dns/name.ts';
import { toColumnsInSteps } from '../zones/zone-columns.ts';
import type { ZoneOverlay } from '../zones/zone-overlay.ts';
import type { Slices } from './slices.ts';
import { recordsIn } from './zone-content.ts';
import type { Zone } from './zone.ts';
import { messageOf } from '../system/message-of.ts';

interface ServedNow {
  get(origin: NameKey): Zone | undefined;
  all(): Iterable<Zone>;
  /** Builds a zone of a file anew. */
  readAgain(origins: Iterable<NameKey>): void;
}

/** What updates did to zones of files, beside what these say. */
interface UpdatesNow {
  updatesOf(origin: NameKey): ZoneOverlay | undefined;
  /** Throws when that is not on disk when this returns. */
  forgetUpdates(origin: NameKey): void;
}

/** What is served, as an operator asks for it. A zone that changes meanwhile is shown as it was at one moment. */
export function* showZones(order: ZoneOrder, served: ServedNow, updates: UpdatesNow): Slices<ZoneAnswer> {
  if (order.kind === 'list') return { zones: Array.from(served.all(), (zone) => factOf(zone, updates)) };
  const origin = nameKey(order.zone);
  if (order.kind === 'dump') return yield* dumpZone(served.get(origin));
  const overlay = updates.updatesOf(origin);
  if (!overlay) return { zones: [] };
  if (order.kind === 'updates') return { zones: [], updates: yield* showUpdates(origin, overlay) };
  try {
    updates.forgetUpdates(origin);
  } catch (error) {
    return { zones: [], fault: messageOf(error) };
  }
  served.readAgain([origin]);
  return { zones: [], updates: yield* showUpdates(origin, overlay) };
}

function* dumpZone(zone: Zone | undefined): Slices<ZoneAnswer> {
  if (!zone) return { zones: [] };
  const records = yield* recordsIn(zone.snapshot());
  return { zones: [], content: yield* toColumnsInSteps(zone.origin, records) };
}

function* showUpdates(origin: NameKey, overlay: ZoneOverlay): Slices<ZoneUpdates> {
  // All at one moment
  const [added, deleted, overruled] = [[...overlay.added], [...overlay.deleted], overlay.overruled];
  return {
    added: yield* toColumnsInSteps(origin, added),
    deleted: yield* toColumnsInSteps(origin, deleted),
    overruled: yield* toColumnsInSteps(origin, overruled),
  };
}

function factOf({ origin, kind, serial, owners, records }: Zone, updates: UpdatesNow): ZoneFact {
  const { size = 0, overruled = [] } = updates.updatesOf(origin) ?? {};
  return {
    zone: keyText(origin),
    kind,
    serial,
    names: owners,
    records,
    ...(size > 0 && { updated: size }),
    ...(overruled.length > 0 && { overruled: overruled.length }),
  };
}
