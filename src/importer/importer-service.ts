import { readFile } from 'node:fs/promises';

import { filesOfEntry } from '../boot/entry-files.ts';
import { filesOf, loadersOf } from '../boot/loader-files.ts';
import { findGarbage } from '../images/collect-garbage.ts';
import { FileShelf } from '../images/file-shelf.ts';
import { BY_HAND, isPublished, sizeOf, type ImageRow } from '../images/image-row.ts';
import { importImages, type ImportReport, type ImportSource } from '../images/import-images.ts';
import { importSource } from '../images/import-source.ts';
import type { SqliteImageStore } from '../images/image-store.ts';
import { imageIndex, openImageStore } from '../images/open-image-store.ts';
import { Pace } from '../images/pace.ts';
import { ProgressTracker } from '../images/progress.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import { StreamError } from '../images/streams/stream-error.ts';
import { findSpoilt } from '../images/verify-files.ts';
import type { ImageSettings, Plan } from '../plan/plan.ts';
import type { Counters, ImageAnswer, ImageOrder } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { Tally } from '../service/tally.ts';
import type { Timer } from '../system/loop.ts';
import { isMarkNamed, isNamed, namedBy } from './image-name.ts';

/** What nobody uses any more is looked for so often. */
const GARBAGE_EVERY = 3_600_000;
/** Versions that are published so close together are one change. */
const GATHER_MILLISECONDS = 200;
/** Timers hold no more (2^31 - 1 milliseconds): a longer interval is waited for in parts. */
const LONGEST_TIMER = 86_400_000;

/** Where images are kept. */
interface Store {
  readonly shelf: FileShelf;
  readonly store: SqliteImageStore;
}

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
  #plan: Plan | undefined;
  #store: Store | undefined;
  #running: Running | undefined;
  #nextImport: Timer | undefined;
  #garbage: Timer | undefined;
  #telling: Timer | undefined;
  /** Monotonic: when the last import began. */
  #importedAt = Number.NEGATIVE_INFINITY;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  apply(plan: Plan): void {
    const before = this.#plan?.images;
    this.#plan = plan;
    if (!before) this.#garbage = this.#context.loop.after(GARBAGE_EVERY, () => this.#collectNow());
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
    this.#store?.store.close();
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
        return this.#running ? no('an import runs already: "rackboot images stop" ends it') : this.#begin(order).ended;
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
    const left = isFirst ? 0 : this.#importedAt + interval - this.#context.clock.monotonic();
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
    if (!this.#closing.signal.aborted) this.#schedule();
  }

  async #stop(): Promise<ImageAnswer> {
    if (!this.#running) return no('no import runs');
    const { controller, ended } = this.#running;
    controller.abort();
    await ended;
    return {
      isDone: true,
      lines: ['the import was stopped; what came of files is kept, and the next import goes on from there'],
    };
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
      const sources = await this.#sources();
      const chosen = only === undefined ? undefined : chosenSource(sources, only);
      if (chosen === undefined && only !== undefined) return no(unknownSource(sources, only));
      if (!isDryRun) events.emit({ kind: 'image.import-started', sources: chosen === undefined ? sources.length : 1 });
      const report = await this.#run(sources, chosen, isDryRun, signal);
      ended(report.troubles.length === 0 ? 'whole' : 'in part', report);
      if (!isDryRun) await this.#collect();
      return answerOf(report, isDryRun);
    } catch (error) {
      const reason = messageOf(error);
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
      isUsed: (row) => this.#plan?.boot.entries.some((entry) => namedBy(entry, [row], settings.shelf)) ?? false,
      onTrouble: (source, reason) => {
        this.#tally.add('refused');
        events.emit({ kind: 'image.refused', source, reason });
      },
    });
  }

  /** A file of sources that can't be read is a source that can't: the others do not suffer for it. */
  async #sources(): Promise<ImportSource[]> {
    const { sources, bootResources: file } = this.#settings();
    const own = sources.map(importSource);
    if (file === undefined) return own;
    try {
      // A reader of YAML is more than all the rest of this thread
      const { readBootResources } = await import('../images/boot-resources.ts');
      return [...own, ...readBootResources(await readFile(file, 'utf8'), file).map(importSource)];
    } catch (error) {
      const fault = new StreamError(messageOf(error));
      return [...own, { name: file, selections: [], keep: 1, open: () => Promise.reject(fault) }];
    }
  }

  #collectNow(): void {
    this.#garbage = this.#context.loop.after(GARBAGE_EVERY, () => this.#collectNow());
    void this.manage({ kind: 'gc' });
  }

  async #collect(): Promise<ImageAnswer> {
    const { shelf, store } = this.#open();
    const named = new Set(this.#plan ? filesNamedBy(this.#plan) : []);
    const rows = store.load().images;
    const garbage = findGarbage({ rows, shelf, named, now: this.#context.clock.now() });
    // Out of the index first: a file that nobody knows of is harmless, a version without its files is not
    store.write({ gone: garbage.rows });
    for (const { sha256 } of garbage.files) shelf.remove(sha256);
    for (const sha256 of garbage.parts) shelf.dropPart(sha256);
    const bytes = garbage.files.reduce((sum, { size }) => sum + size, 0);
    if (garbage.files.length > 0)
      this.#context.events.emit({ kind: 'image.removed', files: garbage.files.length, bytes });
    const waiting = rows.filter((row) => !isPublished(row)).length - garbage.rows.length;
    return {
      isDone: true,
      lines: [
        `${garbage.files.length} files removed, ${bytes} bytes`,
        ...(waiting > 0 ? [`${waiting} versions are kept for a while, for machines that were told of them`] : []),
      ],
    };
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
    if (isFetched && !this.#running) this.#begin({ isDryRun: false });
    return {
      isDone: false,
      lines: spoilt.map(({ file, rows: of, quarantine }) => {
        const what = `${of.map((row) => `${imageKey(row)} ${row.version}`).join(', ')}: ${file.name} ${file.sha256}`;
        const next = of.every(({ source }) => source === BY_HAND) ? 'add it again' : 'it is fetched again';
        return `${what} is ${quarantine === undefined ? 'gone' : `spoilt, set aside as ${quarantine}`}; ${next}`;
      }),
    };
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
    const retiredAt = this.#context.clock.now();
    store.write({ set: rows.map((row) => ({ ...row, retiredAt })), forgotten });
    this.#changed();
    const gone = rows.length > 0 ? [] : forgotten;
    return {
      isDone: true,
      lines: [
        ...rows.map((row) => `${imageKey(row)} ${row.version} is told of no more${afterwards(row)}`),
        ...gone.map(({ image, version }) => `${image}: that ${version} was here once is forgotten`),
      ],
    };
  }

  /** A Plan is compiled for each of these: an import of many small files must not be as many Plans. */
  #changed(): void {
    this.#telling ??= this.#context.loop.after(GATHER_MILLISECONDS, () => {
      this.#telling = undefined;
      this.#context.images?.changed();
    });
  }

  #settings(): ImageSettings {
    const settings = this.#plan?.images;
    if (!settings) throw new Error('this rack keeps no images');
    return settings;
  }

  /** Again at each need, as a disk that can't be had now may be there then. */
  #open(): Store {
    if (this.#store) return this.#store;
    const state = this.#plan?.rack.state;
    if (state === undefined) throw new Error('there is no plan yet');
    const shelf = new FileShelf(state);
    shelf.prepare();
    const { store, replaced } = openImageStore(imageIndex(state), this.#context.clock.now());
    if (replaced) this.#context.events.emit({ kind: 'image.index-replaced', ...replaced });
    this.#store = { shelf, store };
    return this.#store;
  }
}

/** What machines may be told of by the Plan in force, which may be older than what is here. */
function filesNamedBy(plan: Plan): string[] {
  const files = [...plan.boot.entries.flatMap(filesOfEntry), ...loadersOf(plan).flatMap(filesOf)];
  return files.map(({ file }) => file);
}

function no(...lines: readonly string[]): ImageAnswer {
  return { isDone: false, lines };
}

function afterwards({ source }: ImageRow): string {
  const kept = '; its files go an hour from now';
  return source === BY_HAND
    ? kept
    : `${kept}, and the next import brings it back unless the selections of ${source} leave it out`;
}

function answerOf({ published, bytes, troubles }: ImportReport, isDryRun: boolean): ImageAnswer {
  const lines = published.map(
    (row) => `${imageKey(row)} ${row.version} ${isDryRun ? 'would come' : 'is here'} from ${row.source}`,
  );
  const sum = `${published.length} versions, ${bytes} bytes ${isDryRun ? 'to fetch' : 'fetched'}`;
  return {
    isDone: troubles.length === 0,
    lines: [...lines, ...troubles.map(({ source, reason }) => `${source}: ${reason}`), sum],
  };
}

function hasSources({ sources, bootResources }: ImageSettings): boolean {
  return sources.length > 0 || bootResources !== undefined;
}

/** By its name, or its number from 1. */
function chosenSource(sources: readonly ImportSource[], word: string): string | undefined {
  return (sources.find(({ name }) => name === word) ?? sources[Number(word) - 1])?.name;
}

function unknownSource(sources: readonly ImportSource[], word: string): string {
  const names = sources.map(({ name }, i) => `${i + 1} ${name}`).join(', ');
  return `no source is called ${word}: expected ${names === '' ? 'none, as the file has none' : `one of ${names}`}`;
}

function isSameWork(a: ImageSettings | undefined, b: ImageSettings | undefined): boolean {
  return a !== undefined && workOf(a) === workOf(b);
}

function workOf(settings: ImageSettings | undefined): string {
  return JSON.stringify([settings?.sources ?? [], settings?.bootResources]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
