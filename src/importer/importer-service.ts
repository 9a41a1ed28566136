import { setTimeout as sleep } from 'node:timers/promises';

import { filesOfEntry } from '../boot/entry-files.ts';
import { filesOf, loadersOf } from '../boot/loader-files.ts';
import { BY_HAND, isPublished, sizeOf, type ImageRow } from '../images/image-row.ts';
import type { ImportSource } from '../images/import-desk.ts';
import { importImages, type ImportReport } from '../images/import-images.ts';
import { importSource, LocalDirectories } from '../images/import-source.ts';
import { Pace } from '../images/pace.ts';
import { ProgressTracker } from '../images/progress.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import { StreamError } from '../images/streams/stream-error.ts';
import { findSpoilt } from '../images/verify-files.ts';
import type { ImageSettings, ImageSource, Plan } from '../plan/plan.ts';
import { shelvedFile } from '../plan/stored-image.ts';
import type { Counters, ImageAnswer, ImageOrder } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { Tally } from '../service/tally.ts';
import type { Timer } from '../system/loop.ts';
import { messageOf } from '../system/message-of.ts';
import { collectGarbage } from './collect.ts';
import { answerOf, no, removalOf, spoilOf, unknownSource } from './image-answers.ts';
import { isMarkNamed, isNamed, namedBy } from './image-name.ts';
import { ImagePlace, type OpenImages } from './image-place.ts';

/** What nobody uses any more is looked for so often. */
const GARBAGE_EVERY = 3_600_000;
/** What changes so close together is one change, which a Plan is compiled for. */
const GATHER_MILLISECONDS = 200;
/** The same while an import runs: of many small versions one is published every few milliseconds. */
const GATHER_IN_IMPORT = 2_000;
/** An import that failed altogether, as the index could not be had: further apart each time. */
const FIRST_RETRY = 10_000;
const LONGEST_RETRY = 600_000;
/** For so long whoever stops an import waits for its end: a disk that hangs may keep it for longer. */
const STOP_MILLISECONDS = 3_000;
/** Timers hold no more (2^31 - 1 milliseconds): a longer interval is waited for in parts. */
const LONGEST_TIMER = 86_400_000;

/** An import that runs. */
interface Running {
  readonly controller: AbortController;
  readonly ended: Promise<ImageAnswer>;
}

/** The service that imports images: at the start, now and then, and when it is told to. One import at a time. */
export function createImporterService(context: ServiceContext): Service {
  return new ImporterService(context);
}

class ImporterService implements Service {
  readonly #context: ServiceContext;
  readonly #tally = new Tally('imports', 'published', 'refused', 'bytes');
  readonly #closing = new AbortController();
  readonly #place: ImagePlace;
  readonly #directories = new LocalDirectories();
  #plan: Plan | undefined;
  /** Files that it names, by their path on disk. */
  #named: ReadonlySet<string> = new Set();
  #running: Running | undefined;
  #nextImport: Timer | undefined;
  #garbage: Timer | undefined;
  #telling: Timer | undefined;
  /** Monotonic: when the last import began. */
  #importedAt = Number.NEGATIVE_INFINITY;
  /** Imports in a row that failed altogether. */
  #failures = 0;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#place = new ImagePlace(context);
  }

  apply(plan: Plan): void {
    const before = this.#plan?.images;
    this.#plan = plan;
    this.#named = new Set(filesNamedBy(plan));
    this.#garbage ??= this.#context.loop.after(GARBAGE_EVERY, () => this.#collectNow());
    // A first start, or sources that are new: what they have is wanted now
    if (!isSameWork(before, plan.images)) this.#importedAt = Number.NEGATIVE_INFINITY;
    this.#schedule();
  }

  counters(): Counters {
    return { ...this.#tally.read(), running: this.#running ? 1 : 0 };
  }

  close(): void {
    this.#closing.abort();
    this.#running?.controller.abort();
    this.#nextImport?.cancel();
    this.#garbage?.cancel();
    this.#telling?.cancel();
    this.#place.close();
  }

  async manage(order: ImageOrder): Promise<ImageAnswer> {
    try {
      return await this.#obey(order);
    } catch (error) {
      return no(messageOf(error));
    }
  }

  #obey(order: ImageOrder): Promise<ImageAnswer> | ImageAnswer {
    switch (order.kind) {
      case 'import':
        return this.#running ? no(whyBusy(this.#running)) : this.#begin(order).ended;
      case 'stop':
        return this.#stop();
      case 'gc':
        return this.#collect();
      case 'verify':
        return this.#verify();
      case 'remove':
        return this.#remove(order.image);
      case 'reread':
        this.#changed();
        return { isDone: true, lines: [] };
    }
  }

  /** The next import by itself: at once after a start and a change of the sources, else when the interval is over. */
  #schedule(): void {
    this.#nextImport?.cancel();
    const settings = this.#plan?.images;
    if (!settings || !hasSources(settings)) return;
    const interval = (settings.intervalSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    const isFirst = this.#importedAt === Number.NEGATIVE_INFINITY;
    const wait = Math.min(interval, retryAfter(this.#failures));
    const left = isFirst ? 0 : this.#importedAt + wait - this.#context.clock.monotonic();
    if (left === Number.POSITIVE_INFINITY) return;
    this.#nextImport = this.#context.loop.after(Math.max(0, Math.min(left, LONGEST_TIMER)), () => {
      if (left > LONGEST_TIMER) this.#schedule();
      // One that runs schedules the next when it ends
      else if (!this.#running) this.#begin({ isDryRun: false });
    });
  }

  #begin(order: { readonly only?: string; readonly isDryRun: boolean }): Running {
    const controller = new AbortController();
    if (!order.isDryRun) this.#importedAt = this.#context.clock.monotonic();
    const running = { controller, ended: this.#import(order, controller.signal) };
    this.#running = running;
    void this.#endAfter(running.ended);
    return running;
  }

  async #endAfter(ended: Promise<unknown>): Promise<void> {
    await ended;
    this.#running = undefined;
    this.#context.images?.progress(undefined);
    if (this.#telling) this.#tell();
    if (!this.#closing.signal.aborted) this.#schedule();
  }

  async #stop(): Promise<ImageAnswer> {
    if (!this.#running) return no('no import runs');
    const { controller, ended } = this.#running;
    // Whoever stops one does not want the next at once, however long this one ran
    this.#importedAt = this.#context.clock.monotonic();
    this.#failures = 0;
    controller.abort();
    if (!(await this.#isOverSoon(ended))) {
      return no(
        'the import is told to stop, but something it reads or writes hangs: the next one begins when it let go',
      );
    }
    return {
      isDone: true,
      lines: ['the import was stopped; what came of files is kept, and the next import goes on from there'],
    };
  }

  async #isOverSoon(ended: Promise<unknown>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.#context.loop.after(STOP_MILLISECONDS, () => late.resolve(false));
    const isOver = await Promise.race([ended.then(() => true), late.promise]);
    timer.cancel();
    return isOver;
  }

  /** Never rejects. */
  async #import({ only, isDryRun }: { only?: string; isDryRun: boolean }, signal: AbortSignal): Promise<ImageAnswer> {
    const { events, clock } = this.#context;
    const began = clock.monotonic();
    const ended = (how: 'whole' | 'in part' | 'stopped' | 'failed', report?: ImportReport, reason?: string): void => {
      if (isDryRun) return;
      const milliseconds = Math.round(clock.monotonic() - began);
      const counts = { published: report?.published.length ?? 0, bytes: report?.bytes ?? 0, milliseconds };
      events.emit({ kind: 'image.import-ended', how, ...counts, ...(reason !== undefined && { reason }) });
    };
    try {
      const sources = await this.#sources(signal);
      const chosen = only === undefined ? undefined : chosenSource(sources, only);
      if (chosen === undefined && only !== undefined) return no(unknownSource(sources, only));
      if (!isDryRun) events.emit({ kind: 'image.import-started', sources: chosen === undefined ? sources.length : 1 });
      const report = await this.#run(sources, chosen, isDryRun, signal);
      ended(report.troubles.length === 0 ? 'whole' : 'in part', report);
      const answer = answerOf(report, isDryRun);
      if (isDryRun) return answer;
      this.#failures = 0;
      const collected = await this.manage({ kind: 'gc' });
      return collected.isDone ? answer : no(...answer.lines, ...collected.lines);
    } catch (error) {
      const reason = messageOf(error);
      if (!isDryRun && !signal.aborted) this.#failures++;
      ended(signal.aborted ? 'stopped' : 'failed', undefined, signal.aborted ? undefined : reason);
      return no(signal.aborted ? 'the import was stopped' : `the import failed: ${reason}`);
    }
  }

  async #run(
    sources: readonly ImportSource[],
    only: string | undefined,
    isDryRun: boolean,
    signal: AbortSignal,
  ): Promise<ImportReport> {
    const { shelf, store } = this.#open();
    const { clock, events, images } = this.#context;
    const settings = this.#settings();
    this.#tally.add('imports');
    const names = only === undefined ? undefined : new Set([only]);
    return importImages(sources, names, isDryRun, {
      shelf,
      store,
      clock,
      sleep: (milliseconds, until) => sleep(milliseconds, undefined, { signal: until }),
      signal,
      parallel: settings.parallel,
      pace: new Pace(clock, settings.bandwidth),
      progress: new ProgressTracker(clock, (progress) => images?.progress(progress)),
      onPublished: (row) => {
        this.#tally.add('published');
        this.#tally.add('bytes', sizeOf(row));
        events.emit({ kind: 'image.published', image: imageKey(row), version: row.version, bytes: sizeOf(row) });
        this.#changed();
      },
      onRetired: () => this.#changed(),
      isUsed: (row) => this.#isUsed(row),
      onTrouble: (source, reason) => {
        this.#tally.add('refused');
        events.emit({ kind: 'image.refused', source, reason });
      },
    });
  }

  /** A file of sources that can't be read is a source that can't: the others do not suffer for it. */
  async #sources(signal: AbortSignal): Promise<ImportSource[]> {
    const { sources, bootResources: file } = this.#settings();
    const sourceOf = (source: ImageSource): ImportSource => importSource(source, this.#directories);
    const own = sources.map(sourceOf);
    if (file === undefined) return own;
    try {
      // A reader of YAML is more than all the rest of this thread
      const { readBootResources } = await import('../images/boot-resources.ts');
      const text = Buffer.from(await this.#directories.read(file, signal)).toString('utf8');
      return [...own, ...readBootResources(text, file).map(sourceOf)];
    } catch (error) {
      signal.throwIfAborted();
      const fault = new StreamError(messageOf(error));
      return [...own, { name: file, selections: [], keep: 1, open: () => Promise.reject(fault) }];
    }
  }

  #collectNow(): void {
    this.#garbage = this.#context.loop.after(GARBAGE_EVERY, () => this.#collectNow());
    void this.manage({ kind: 'gc' });
  }

  async #collect(): Promise<ImageAnswer> {
    const sources = (await this.#sources(this.#closing.signal)).map(({ name }) => name);
    const now = this.#context.clock.now();
    return collectGarbage(this.#open(), { named: this.#named, sources, now }, this.#context.events);
  }

  /** What can be had again is fetched again at once. */
  async #verify(): Promise<ImageAnswer> {
    const { shelf, store } = this.#open();
    const { events } = this.#context;
    const rows = store.load().images;
    const spoilt = await findSpoilt(rows, shelf, this.#closing.signal);
    for (const { file, rows: of, quarantine } of spoilt) {
      const image = of.map(imageKey).join(', ');
      events.emit({ kind: 'image.spoilt', image, file: file.name, ...(quarantine !== undefined && { quarantine }) });
    }
    if (spoilt.length === 0) return { isDone: true, lines: [`${rows.length} versions are as they were`] };
    this.#changed();
    const isFetched = spoilt.some(({ rows: of }) => of.some(({ source }) => source !== BY_HAND));
    // One that runs may have seen the file while it was still there
    if (isFetched && this.#running) this.#importedAt = Number.NEGATIVE_INFINITY;
    else if (isFetched) this.#begin({ isDryRun: false });
    return no(...spoilt.map(spoilOf));
  }

  #remove(name: string): ImageAnswer {
    const { store } = this.#open();
    const rows = store.load().images.filter((row) => isPublished(row) && isNamed(row, name));
    const forgotten = store.marks().newest.filter((mark) => isMarkNamed(mark, name));
    if (rows.length === 0 && forgotten.length === 0)
      return no(`no image is called ${name}: expected os/release, as in "rackboot images"`);
    const users = this.#plan?.boot.entries.filter((entry) => namedBy(entry, rows, this.#settings().shelf)) ?? [];
    if (users.length > 0) {
      return no(
        `${name} is what the boot entries ${users.map((entry) => entry.name).join(', ')} boot: change them first`,
      );
    }
    if (rows.some((row) => this.#isUsed(row))) {
      return no(`${name} is where machines have their loaders from: "rackboot loaders install" others first`);
    }
    const retiredAt = this.#context.clock.now();
    store.write({ set: rows.map((row) => ({ ...row, retiredAt })), forgotten });
    this.#changed();
    const gone = rows.length > 0 ? [] : forgotten;
    return {
      isDone: true,
      lines: [
        ...rows.map(removalOf),
        ...gone.map(({ image, version }) => `${image}: that ${version} was here once is forgotten`),
      ],
    };
  }

  /** Whether the Plan in force names a file of it: as a boot entry, or as a loader. */
  #isUsed({ files }: ImageRow): boolean {
    const { shelf } = this.#settings();
    return files.some(({ sha256 }) => this.#named.has(shelvedFile(shelf, sha256)));
  }

  /** A Plan is compiled for each of these: an import of many small files must not be as many Plans. */
  #changed(): void {
    this.#telling ??= this.#context.loop.after(this.#running ? GATHER_IN_IMPORT : GATHER_MILLISECONDS, () =>
      this.#tell(),
    );
  }

  #tell(): void {
    this.#telling?.cancel();
    this.#telling = undefined;
    this.#context.images?.changed();
  }

  #settings(): ImageSettings {
    const settings = this.#plan?.images;
    if (!settings) throw new Error('this rack keeps no images');
    return settings;
  }

  #open(): OpenImages {
    const state = this.#plan?.rack.state;
    if (state === undefined) throw new Error('there is no plan yet');
    return this.#place.open(state);
  }
}

/** What machines may be told of by the Plan in force, which may be older than what is here. */
function filesNamedBy(plan: Plan): string[] {
  const files = [...plan.boot.entries.flatMap(filesOfEntry), ...loadersOf(plan).flatMap(filesOf)];
  return files.map(({ file }) => file);
}

function whyBusy({ controller }: Running): string {
  return controller.signal.aborted
    ? 'the import that was stopped has not let go of its files yet'
    : 'an import runs already: "rackboot images stop" ends it';
}

/** Milliseconds; without failures never. */
function retryAfter(failures: number): number {
  return failures === 0 ? Number.POSITIVE_INFINITY : Math.min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY);
}

function hasSources({ sources, bootResources }: ImageSettings): boolean {
  return sources.length > 0 || bootResources !== undefined;
}

/** By its name, or its number from 1. */
function chosenSource(sources: readonly ImportSource[], word: string): string | undefined {
  return (sources.find(({ name }) => name === word) ?? sources[Number(word) - 1])?.name;
}

function isSameWork(a: ImageSettings | undefined, b: ImageSettings | undefined): boolean {
  return a !== undefined && workOf(a) === workOf(b);
}

function workOf(settings: ImageSettings | undefined): string {
  return JSON.stringify([settings?.sources ?? [], settings?.bootResources]);
}
