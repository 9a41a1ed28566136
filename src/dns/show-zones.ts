import type { ZoneAnswer, ZoneFact, ZoneOrder } from '../service/letters.ts';
import { keyText, nameKey } from '../wire/dns/name.ts';
import { toColumnsInSteps } from '../zones/zone-columns.ts';
import type { Slices } from './slices.ts';
import { recordsIn } from './zone-content.ts';
import type { Zone } from './zone.ts';

/** Names between two pauses: some 100 µs. */
const STRIDE = 128;

interface ServedNow {
  get(origin: ReturnType<typeof nameKey>): Zone | undefined;
  all(): Iterable<Zone>;
}

/** What is served, as an operator asks for it. A zone that changes meanwhile is shown as it was at one moment. */
export function* showZones(order: ZoneOrder, served: ServedNow): Slices<ZoneAnswer> {
  if (order.kind === 'list') return { zones: yield* listZones(served) };
  const zone = served.get(nameKey(order.zone));
  if (!zone) return { zones: [] };
  const records = yield* recordsIn(zone.snapshot());
  return { zones: [], content: yield* toColumnsInSteps(zone.origin, records) };
}

function* listZones(served: ServedNow): Slices<ZoneFact[]> {
  const facts: ZoneFact[] = [];
  for (const { origin, kind, serial, snapshot } of Array.from(served.all(), factsOf)) {
    let [names, records] = [0, 0];
    for (const [, sets] of snapshot) {
      for (const { count } of sets) records += count;
      if (++names % STRIDE === 0) yield;
    }
    facts.push({ zone: keyText(origin), kind, serial, names, records });
  }
  return facts;
}

function factsOf(zone: Zone) {
  const { origin, kind, serial } = zone;
  return { origin, kind, serial, snapshot: zone.snapshot() };
}
