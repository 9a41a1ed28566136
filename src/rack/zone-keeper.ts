import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Plan, ZoneSettings } from '../plan/plan.ts';
import type { ToService } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import type { EventBody } from '../timeline/event.ts';
import { nameKey, type NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { emptyZone } from '../zones/empty-zone.ts';
import {
  MOST_RECORDS_IN_ALL,
  readMasterFileInSteps,
  type MasterZone,
  type ReadFile,
} from '../zones/read-master-file.ts';
import { serialOf } from '../zones/zone-change.ts';
import { toColumns, toColumnsInSteps, type ZoneColumns } from '../zones/zone-columns.ts';
import { formatProblem } from '../zones/zone-problem.ts';
import { ZoneWatch } from './zone-watch.ts';

/** What the rest of the rack has to wait for a zone, at a time: a lease on its way to DNS passes through here. */
const STEP_MILLISECONDS = 2;
/** Between two looks at a file that is being written. */
const REST_MILLISECONDS = 150;
const MOST_TOLD = 20;
const MOST_NOTED = 3;

export interface ZoneKeeperDependencies {
  readonly clock: Clock;
  /** Tells the DNS service. */
  readonly tell: (letter: ToService) => void;
  readonly emit: (body: EventBody) => void;
  readonly readFile: ReadFile;
  /** What was published last of a zone, before this start, if that is known. */
  readonly readKept: (origin: NameKey) => readonly ResourceRecord[] | undefined;
  /** Records of all zones together that there is room for. */
  readonly mostRecords?: number;
  /** Something that is no fault of a zone. */
  readonly complain: (error: unknown, what: string) => void;
}

/** What an operator may know of a zone of the file. */
export interface KeptZone {
  readonly settings: ZoneSettings;
  /** What was read last without a fault, and when (Unix milliseconds); without a time, what was served before the start. */
  readonly content?: { readonly serial: number; readonly records: number; readonly loadedAt?: number };
  /** Why the file as it is now is not served. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

interface Entry extends KeptZone {
  readonly columns?: ZoneColumns;
  /** All files it is read from. */
  readonly files: readonly string[];
  /** What they were when they were read, and when they were last looked at. */
  readonly read: string;
  seen: string;
  /** The file is sound, and the zones too large together. */
  readonly isCrowded?: boolean;
}

/** Reads the master files of the Plan's zones, again when they change, and gives the DNS service what is sound. */
export class ZoneKeeper {
  readonly #dependencies: ZoneKeeperDependencies;
  readonly #watch: ZoneWatch;
  readonly #zones = new Map<string, Entry>();
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(dependencies: ZoneKeeperDependencies) {
    this.#dependencies = dependencies;
    this.#watch = new ZoneWatch(
      () => this.look(),
      (error) => dependencies.complain(error, 'changes of zone files are seen late'),
    );
  }

  /** Reads the zones of a Plan that are new, or whose files changed. Resolves when all are told; never rejects. */
  apply(plan: Plan): Promise<void> {
    return this.#enqueue(async () => {
      for (const settings of plan.dns.zones) await this.#take(settings, plan);
    });
  }

  /** Drops the zones that are not in a Plan which is in force. */
  forget(plan: Plan): void {
    const named = new Set(plan.dns.zones.map(({ name }) => name));
    const gone = [...this.#zones.keys()].filter((name) => !named.has(name));
    for (const name of gone) this.#zones.delete(name);
    if (gone.length > 0) {
      this.#dependencies.tell({ type: 'zones', zones: [], gone });
      const crowded = [...this.#zones.values()].filter(({ isCrowded }) => isCrowded);
      if (crowded.length > 0) void this.#enqueue(async () => this.#readAll(crowded));
    }
    this.#follow();
  }

  /** For a service that starts: all that is sound. */
  letter(): ToService {
    return { type: 'zones', zones: [...this.#zones.values()].flatMap(({ columns }) => columns ?? []), gone: [] };
  }

  zones(): readonly KeptZone[] {
    return [...this.#zones.values()];
  }

  /** What an operator should know. */
  notices(): string[] {
    return this.zones().flatMap(({ settings, content, faults }) => {
      if (faults.length === 0) return [];
      const named = faults.slice(0, MOST_NOTED).join('; ');
      const more = faults.length > MOST_NOTED ? ` and ${faults.length - MOST_NOTED} more` : '';
      const state = content ? 'what was read before is served' : 'it is not served';
      return [`zone ${settings.name}: the file is refused, ${state}: ${named}${more}`];
    });
  }

  /**
   * Looks whether files became others, and reads those anew once they rest: one that is being written is whole when two
   * looks find it the same. To be called now and then, too: not every file system tells of its changes.
   */
  look(): void {
    const moved = [...this.#zones.values()].filter((zone) => signOf(zone.files) !== zone.read);
    const resting = moved.filter((zone) => {
      const now = signOf(zone.files);
      const rests = now === zone.seen;
      zone.seen = now;
      return rests;
    });
    if (resting.length > 0) void this.#enqueue(async () => this.#readAll(resting));
    if (resting.length < moved.length) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.look(), REST_MILLISECONDS);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#watch.close();
  }

  /** One after the other; an error of ours is told and ends nothing. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work
      .then(() => (this.#isClosed ? undefined : work()))
      .catch((error: unknown) => this.#dependencies.complain(error, 'zones were not read'))
      .then(() => this.#follow());
    return this.#work;
  }

  async #take(settings: ZoneSettings, plan: Plan): Promise<void> {
    const known = this.#zones.get(settings.name);
    if (settings.file === undefined) return this.#takeEmpty(settings, plan, known);
    if (known && !known.isCrowded && known.settings.file === settings.file && signOf(known.files) === known.read) {
      this.#zones.set(settings.name, { ...known, settings });
      return;
    }
    await this.#read(settings);
  }

  /** A zone that lives of updates. */
  #takeEmpty(settings: ZoneSettings, plan: Plan, known: Entry | undefined): void {
    const records = emptyZone(settings.name, serverOf(plan));
    const columns = toColumns(nameKey(settings.name), records);
    const isSame = known?.columns !== undefined && sameColumns(known.columns, columns);
    const content = known?.content && isSame ? known.content : this.#contentOf(records);
    this.#zones.set(settings.name, {
      settings,
      columns,
      content,
      faults: [],
      warnings: [],
      files: [],
      read: '',
      seen: '',
    });
    if (!isSame) this.#dependencies.tell({ type: 'zones', zones: [columns], gone: [] });
  }

  async #readAll(zones: readonly Entry[]): Promise<void> {
    for (const zone of zones) {
      // It may have gone with another Plan meanwhile, or been read
      const isKept = (): boolean => this.#zones.get(zone.settings.name) === zone;
      if (isKept()) await this.#read(zone.settings, isKept);
    }
  }

  /** `isWanted`: asked again when it was read, which takes its time. */
  async #read(settings: ZoneSettings, isWanted: () => boolean = () => true): Promise<void> {
    const { name, file = '' } = settings;
    const signs = new Map<string, string>();
    const zone = await inSteps(
      readMasterFileInSteps(name, file, (path) => {
        // Before it is read: a change meanwhile is then seen as one
        signs.set(path, signOf([path]));
        return this.#dependencies.readFile(path);
      }),
    );
    const columns = zone.records && (await inSteps(toColumnsInSteps(zone.origin, zone.records)));
    if (this.#isClosed || !isWanted()) return;
    const read = zone.files.map((path) => signs.get(path) ?? signOf([path])).join('\n');
    const before = this.#zones.get(name);
    const found = { settings, ...linesOf(zone), files: zone.files, read, seen: read, isCrowded: false };
    if (!columns || !zone.records) this.#refuse({ ...(before ?? (await this.#recall(zone))), ...found }, before);
    else if (this.#hasRoom(name, zone.records.length))
      this.#accept({ ...found, columns, content: this.#contentOf(zone.records) });
    else
      this.#refuse({ ...before, ...found, isCrowded: true, faults: [this.#crowd(file, zone.records.length)] }, before);
  }

  /** Beside all other zones. */
  #hasRoom(name: string, records: number): boolean {
    return records <= this.#mostRecords - this.#countOthers(name);
  }

  #countOthers(name: string): number {
    const others = this.zones().filter(({ settings }) => settings.name !== name);
    return others.reduce((sum, { content }) => sum + (content?.records ?? 0), 0);
  }

  #crowd(file: string, records: number): string {
    return `${file}: expected at most ${this.#mostRecords} records in all zone files, found ${records} here beside those of the others`;
  }

  get #mostRecords(): number {
    return this.#dependencies.mostRecords ?? MOST_RECORDS_IN_ALL;
  }

  /** Of a zone whose file is broken when the rack starts: what was served before. */
  async #recall({ origin }: MasterZone): Promise<Pick<Entry, 'columns' | 'content'>> {
    const records = this.#dependencies.readKept(origin);
    const [soa] = records ?? [];
    if (!records || !soa || !this.#hasRoom('', records.length)) return {};
    const columns = await inSteps(toColumnsInSteps(origin, records));
    this.#dependencies.tell({ type: 'zones', zones: [columns], gone: [] });
    return { columns, content: { serial: serialOf(soa), records: records.length } };
  }

  #accept(entry: Entry & { readonly columns: ZoneColumns; readonly content: NonNullable<KeptZone['content']> }): void {
    const { settings, columns, content, warnings } = entry;
    this.#zones.set(settings.name, entry);
    this.#dependencies.tell({ type: 'zones', zones: [columns], gone: [] });
    const { records, serial } = content;
    this.#dependencies.emit({ kind: 'zone.loaded', zone: settings.name, records, serial, warnings: some(warnings) });
  }

  /** What was served before is served on. Told once for each fault. */
  #refuse(entry: Entry, before: Entry | undefined): void {
    const { settings, faults, columns } = entry;
    this.#zones.set(settings.name, entry);
    if (before && before.faults.join('\n') === faults.join('\n')) return;
    this.#dependencies.emit({
      kind: 'zone.refused',
      zone: settings.name,
      faults: some(faults),
      kept: columns !== undefined,
    });
  }

  #contentOf(records: readonly ResourceRecord[]): NonNullable<KeptZone['content']> {
    const [soa] = records;
    return { serial: soa ? serialOf(soa) : 0, records: records.length, loadedAt: this.#dependencies.clock.now() };
  }

  #follow(): void {
    if (!this.#isClosed) this.#watch.follow([...this.#zones.values()].flatMap(({ files }) => files));
  }
}

/** The rack's name has its addresses in the domain of a subnet, if there is one. */
function serverOf({ rack, subnets }: Plan) {
  const domain = subnets.find((subnet) => subnet.management === 'dhcp+dns' && subnet.domain !== undefined)?.domain;
  const addresses = subnets.flatMap(({ rackAddress }) => rackAddress ?? []);
  return { label: rack.name, addresses, ...(domain !== undefined && { domain }) };
}

function linesOf({ faults, warnings }: MasterZone): Pick<KeptZone, 'faults' | 'warnings'> {
  return { faults: faults.map(formatProblem), warnings: warnings.map(formatProblem) };
}

function some(lines: readonly string[]): string[] {
  return lines.length > MOST_TOLD ? [...lines.slice(0, MOST_TOLD), `and ${lines.length - MOST_TOLD} more`] : [...lines];
}

function sameColumns(a: ZoneColumns, b: ZoneColumns): boolean {
  return Buffer.compare(a.owners, b.owners) === 0 && Buffer.compare(a.data, b.data) === 0;
}

async function inSteps<Result>(steps: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const end = performance.now() + STEP_MILLISECONDS;
    do {
      const { done, value } = steps.next();
      if (done) return value;
    } while (performance.now() < end);
    await nextTurn();
  }
}

/** Which files are behind these names now. */
function signOf(files: readonly string[]): string {
  return files.map(signOfOne).join('\n');
}

function signOfOne(file: string): string {
  try {
    const { dev, ino, size, ctimeMs, mode } = statSync(file);
    return [dev, ino, size, ctimeMs, mode].join(' ');
  } catch {
    return 'unreadable';
  }
}
