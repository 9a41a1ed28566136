import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import type { NamePath } from '../wire/dns/name-path.ts';
import { nameKey, type NameKey } from '../wire/dns/name.ts';
import { recordsOf, type ZoneColumns } from '../zones/zone-columns.ts';
import type { ZoneFinder } from './answer.ts';
import { isAwaited } from './is-awaited.ts';
import { RackNames } from './rack-names.ts';
import { runSlices, type Slices } from './slices.ts';
import { buildZone } from './zone-builder.ts';
import type { ZonePublishing } from './zone-publishing.ts';
import { ZoneSet } from './zone-set.ts';
import type { Zone } from './zone.ts';

export interface ServedZonesDependencies {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly publisher: ZonePublishing;
}

/** All zones this rack answers for: its own, of Plan and leases, and those of master files. */
export class ServedZones implements ZoneFinder {
  readonly #dependencies: ServedZonesDependencies;
  readonly #rack: RackNames;
  readonly #files = new Map<NameKey, Zone>();
  /** What the files said last. */
  readonly #contents = new Map<NameKey, ZoneColumns>();
  /** The content that is being read, by origin: what gives it up. */
  readonly #building = new Map<NameKey, () => void>();
  /** The zones of master files that the Plan names, and those of them that were not read yet. */
  #named: readonly NameKey[] = [];
  #awaited: ReadonlySet<NameKey> = new Set();
  #all = new ZoneSet();

  constructor(dependencies: ServedZonesDependencies) {
    this.#dependencies = dependencies;
    this.#rack = new RackNames(dependencies, () => this.#gather());
  }

  findAbove(path: NamePath, label: number): Zone | undefined {
    return this.#all.findAbove(path, label);
  }

  isAwaited(path: NamePath): boolean {
    return isAwaited(path, this.#awaited, this.#all);
  }

  get(origin: NameKey): Zone | undefined {
    return this.#all.get(origin);
  }

  all(): Iterable<Zone> {
    return this.#all.all();
  }

  apply(plan: Plan): void {
    this.#named = plan.dns.zones.map(({ name }) => nameKey(name));
    this.#rack.apply(plan);
    this.#findAwaited();
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#rack.learn(bound, ended);
  }

  firstQuestion(address: Ip4): Mac | undefined {
    return this.#rack.firstQuestion(address);
  }

  /** Zones of master files: new contents, and those that are served no more. */
  learnZones(zones: readonly ZoneColumns[], gone: readonly string[]): void {
    for (const name of gone) this.#drop(nameKey(name));
    for (const columns of zones) this.#read(columns);
  }

  /** Builds zones of master files anew, as what updates did to them is wanted now. */
  readAgain(origins: Iterable<NameKey>): void {
    for (const origin of origins) {
      const columns = this.#contents.get(origin);
      if (columns) this.#read(columns);
    }
  }

  close(): void {
    this.#rack.close();
    for (const giveUp of this.#building.values()) giveUp();
    this.#building.clear();
  }

  #drop(origin: NameKey): void {
    this.#building.get(origin)?.();
    this.#building.delete(origin);
    this.#contents.delete(origin);
    const zone = this.#files.get(origin);
    if (!zone) return;
    this.#files.delete(origin);
    this.#gather();
    const { publisher } = this.#dependencies;
    publisher.withdraw(zone);
    // Where the name is the rack's now, a reading of the file that ended late may have taken its place
    const rack = this.#rack.zones.get(origin);
    if (rack) publisher.replace(rack);
  }

  /** The content before it is answered from until the new one is whole. */
  #read(columns: ZoneColumns): void {
    const { origin } = columns;
    this.#building.get(origin)?.();
    this.#building.delete(origin);
    this.#contents.set(origin, columns);
    let isDone = false;
    const giveUp = runSlices(this.#dependencies, this.#replace(columns), () => {
      isDone = true;
      this.#building.delete(origin);
    });
    if (!isDone) this.#building.set(origin, giveUp);
  }

  *#replace(columns: ZoneColumns): Slices<void> {
    const { publisher } = this.#dependencies;
    const { origin } = columns;
    const zone = yield* buildZone(origin, publisher.withUpdates(origin, recordsOf(columns)), 'file');
    this.#files.set(origin, zone);
    this.#gather();
    publisher.replace(zone);
  }

  #gather(): void {
    const all = new ZoneSet();
    for (const zone of this.#files.values()) all.add(zone);
    // Checked before: no zone of a file is one of the rack's
    for (const zone of this.#rack.zones.all()) all.add(zone);
    this.#all = all;
    this.#findAwaited();
  }

  #findAwaited(): void {
    this.#awaited = new Set(this.#named.filter((origin) => !this.#files.has(origin)));
  }
}
