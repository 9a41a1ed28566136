import { setTimeout as sleep } from 'node:timers/promises';

import { compareVersions } from '../plan/image-choice.ts';
import type { StoredFile } from '../plan/stored-image.ts';
import type { Clock } from '../system/clock.ts';
import { download, type WantedFile } from './download.ts';
import type { FileShelf } from './file-shelf.ts';
import { BY_HAND, isPublished, rowKey, type ImageRow, type SourceRow } from './image-row.ts';
import type { SqliteImageStore } from './image-store.ts';
import type { Pace } from './pace.ts';
import type { ProgressTracker } from './progress.ts';
import { ReplayGuard } from './replay-guard.ts';
import type { StreamVersion } from './streams/read-products.ts';
import { readStream, type StreamPlace } from './streams/read-stream.ts';
import { imageKey, selectVersions, type Selection } from './streams/select-versions.ts';
import { StreamError } from './streams/stream-error.ts';
import { DiskFullError, TransferError } from './transfer-error.ts';
import { unpackInto } from './unpack-into.ts';
import { ARCHIVE, wantedItems } from './wanted-items.ts';

/** Ubuntu's stream has some hundreds in all. */
const MOST_IMAGES = 5_000;
/** Of each source: where everything is wrong, the first lines tell what, and no log has room for all. */
const MOST_TOLD = 20;

/** A source as an import needs it. */
export interface ImportSource {
  readonly name: string;
  /** Opened when its turn comes: the keyring may not be there. */
  readonly open: () => Promise<StreamPlace>;
  readonly selections: readonly Selection[];
  /** Versions of each image. */
  readonly keep: number;
}

export interface ImportDesk {
  readonly store: SqliteImageStore;
  readonly shelf: FileShelf;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly progress: ProgressTracker;
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** A version is there for machines, instead of these. */
  readonly onPublished: (row: ImageRow, retired: readonly ImageRow[]) => void;
  /** Machines are told of these no more. */
  readonly onRetired: (rows: readonly ImageRow[]) => void;
  readonly onTrouble: (source: string, reason: string) => void;
  /** Whether a boot entry of the Plan in force is made of it. */
  readonly isUsed: (row: ImageRow) => boolean;
}

/** A version that is to come. */
interface Wanted {
  readonly source: ImportSource;
  readonly place: StreamPlace;
  readonly version: StreamVersion;
  readonly files: readonly (StoredFile & WantedFile)[];
}

export interface ImportReport {
  /** Versions that are there for machines now, and were not before; of a dry run, that would come. */
  readonly published: readonly ImageRow[];
  /** Bytes that had, or would have, to come. */
  readonly bytes: number;
  readonly troubles: readonly { readonly source: string; readonly reason: string }[];
}

/**
 * Brings what the sources have and the selections take onto the shelf. The first source that has an image gives it. What is there
 * from before stays until the new version of it is whole. Rejects only with AbortError, when the signal says so.
 */
export async function importImages(
  sources: readonly ImportSource[],
  only: ReadonlySet<string> | undefined,
  isDryRun: boolean,
  desk: ImportDesk,
): Promise<ImportReport> {
  return new Import(desk, isDryRun).run(sources, only);
}

class Import {
  readonly #desk: ImportDesk;
  readonly #isDryRun: boolean;
  readonly #troubles: { source: string; reason: string }[] = [];
  readonly #published: ImageRow[] = [];
  readonly #wanted: Wanted[] = [];
  /** Images that a source before gives, or is to go on giving. */
  readonly #taken = new Set<string>();
  readonly #places: StreamPlace[] = [];
  readonly #guard: ReplayGuard;
  /** Of each source, by its name, so many troubles. */
  readonly #troubled = new Map<string, number>();
  #bytes = 0;

  constructor(desk: ImportDesk, isDryRun: boolean) {
    this.#desk = desk;
    this.#isDryRun = isDryRun;
    this.#guard = new ReplayGuard(isDryRun ? { marks: () => desk.store.marks(), write: () => undefined } : desk.store);
  }

  async run(sources: readonly ImportSource[], only: ReadonlySet<string> | undefined): Promise<ImportReport> {
    try {
      return await this.#run(sources, only);
    } finally {
      for (const { origin } of this.#places) origin.close?.();
    }
  }

  async #run(sources: readonly ImportSource[], only: ReadonlySet<string> | undefined): Promise<ImportReport> {
    this.#takeAllOf(BY_HAND);
    const asked: string[] = [];
    for (const source of sources) {
      if (only && !only.has(source.name)) this.#takeAllOf(source.name);
      else {
        asked.push(source.name);
        await this.#read(source);
      }
    }
    const fitting = this.#admit();
    if (this.#isDryRun) for (const wanted of fitting) this.#published.push(this.#rowOf(wanted));
    else await this.#fetchAll(fitting);
    this.#tellRest();
    if (!this.#isDryRun) this.#remember(asked);
    return { published: this.#published, bytes: this.#bytes, troubles: this.#troubles };
  }

  /** What is published of a source stays its own: another one must not take its place while it is away. */
  #takeAllOf(source: string): void {
    for (const row of this.#rows()) if (isPublished(row) && row.source === source) this.#taken.add(imageKey(row));
  }

  async #read(source: ImportSource): Promise<void> {
    this.#desk.progress.reading(source.name);
    try {
      const place = await source.open();
      this.#places.push(place);
      this.#guard.meet(source.name, place, this.#publishedFrom(source.name));
      const now = this.#desk.clock.now();
      const { versions, refused, stamps } = await readStream(place, this.#desk.signal, now);
      for (const { reason } of refused) this.#trouble(source, reason);
      const { images, unmet } = selectVersions(versions, source.selections, source.keep);
      if (images.size > MOST_IMAGES)
        throw new StreamError(`expected at most ${MOST_IMAGES} images, found ${images.size}`);
      const offered = new Map([...images].map(([key, [newest]]) => [key, newest?.version ?? '']));
      this.#guard.demandCurrent(source.name, stamps, offered);
      this.#guard.remember(source.name, stamps, now);
      for (const selection of unmet) this.#trouble(source, `nothing in it answers to ${wordsOf(selection)}`);
      for (const [key, newest] of images) this.#want(source, place, key, newest);
      this.#missMissing(source, new Set(images.keys()));
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.#trouble(source, `${error.message}; what is here from it stays`);
      this.#takeAllOf(source.name);
    }
  }

  #want(source: ImportSource, place: StreamPlace, key: string, versions: readonly StreamVersion[]): void {
    if (this.#taken.has(key)) return;
    this.#taken.add(key);
    const newest = versions[0]?.version ?? '';
    const before = this.#guard.newest(source.name, key);
    if (before !== undefined && compareVersions(newest, before) < 0) {
      const here = this.#rows().find((row) => isPublished(row) && imageKey(row) === key);
      // Then another source may have it
      if (!here) this.#taken.delete(key);
      const what = here ? `${here.version} stays` : 'nothing of it is here';
      this.#trouble(source, `${key}: went back from version ${before} to ${newest}; ${what}${wayBack(key)}`);
      return;
    }
    for (const version of versions) {
      const files = wantedItems(version);
      if (files.length === 0) this.#trouble(source, `${key} ${version.version}: has no file that a machine boots`);
      else if (!this.#isHere(version, files)) this.#wanted.push({ source, place, version, files });
    }
  }

  #isHere(version: StreamVersion, files: readonly WantedFile[]): boolean {
    const row = this.#rows().find((each) => isPublished(each) && rowKey(each) === rowKeyOf(version));
    const has = (file: WantedFile): boolean => row?.files.some(({ sha256 }) => sha256 === file.sha256) ?? false;
    return row !== undefined && files.every(has) && row.files.every((file) => this.#desk.shelf.has(file));
  }

  /** Of what is here from the source: still wanted, and no longer in the stream, it stays; not wanted any more, it goes. */
  #missMissing(source: ImportSource, found: ReadonlySet<string>): void {
    const missed = this.#rows().filter(
      (row) => row.source === source.name && isPublished(row) && !found.has(imageKey(row)),
    );
    const left = missed.filter((row) => !isAskedFor(source, row));
    for (const row of missed) {
      if (left.includes(row) && !this.#desk.isUsed(row)) continue;
      const why = left.includes(row)
        ? 'is not selected any more, but a boot entry is made of it'
        : 'is no longer in it';
      this.#trouble(source, `${imageKey(row)}: ${why}; ${row.version} stays`);
      this.#taken.add(imageKey(row));
    }
    if (!this.#isDryRun) this.#retire(left.filter((row) => !this.#desk.isUsed(row)));
  }

  #retire(rows: readonly ImageRow[]): void {
    if (rows.length === 0) return;
    const retiredAt = this.#desk.clock.now();
    this.#desk.store.write({ set: rows.map((row) => ({ ...row, retiredAt })) });
    this.#desk.onRetired(rows);
  }

  /** What there is room for, in order. */
  #admit(): Wanted[] {
    const seen = new Set<string>();
    const { shelf } = this.#desk;
    return this.#wanted.filter((wanted) => {
      const fresh = wanted.files.filter((file) => !seen.has(file.sha256) && !shelf.has(file));
      const bytes = fresh.reduce((sum, { sha256, size }) => sum + size - Math.min(size, shelf.partSize(sha256)), 0);
      try {
        shelf.demand(this.#bytes + bytes);
      } catch (error) {
        if (!(error instanceof DiskFullError)) throw error;
        this.#trouble(wanted.source, `${rowKeyOf(wanted.version)}: ${error.message}`);
        return false;
      }
      for (const { sha256 } of fresh) seen.add(sha256);
      this.#bytes += bytes;
      return true;
    });
  }

  async #fetchAll(wanted: readonly Wanted[]): Promise<void> {
    const files = new Map(
      wanted.flatMap((each) => each.files.map((file) => [file.sha256, { ...each, file }] as const)),
    );
    const missing = [...files.values()].filter(({ file }) => !this.#desk.shelf.has(file));
    this.#desk.progress.fetching(missing.reduce((sum, { file }) => sum + file.size, 0));
    const failed = new Map<string, string>();
    const left = new Set(wanted);
    const queue = missing.values();
    const settle = async (): Promise<void> => {
      for (const each of left) {
        const reason = each.files.map(({ sha256 }) => failed.get(sha256)).find((fault) => fault !== undefined);
        const isWhole = each.files.every((file) => this.#desk.shelf.has(file));
        if (reason === undefined && !isWhole) continue;
        left.delete(each);
        if (reason === undefined) await this.#publish(each);
        else this.#trouble(each.source, `${rowKeyOf(each.version)}: ${reason}${this.#whatStays(each)}`);
      }
    };
    const worker = async (): Promise<void> => {
      for (const { place, version, file } of queue) {
        const reason = await this.#fetch(place, version, file);
        if (reason !== undefined) failed.set(file.sha256, reason);
        await settle();
      }
    };
    await settle();
    await Promise.all(Array.from({ length: this.#desk.parallel }, worker));
  }

  /** Why it could not be had. */
  async #fetch(
    { origin }: StreamPlace,
    version: StreamVersion,
    file: StoredFile & WantedFile,
  ): Promise<string | undefined> {
    const { shelf, signal, progress, pace } = this.#desk;
    progress.began(file.sha256, `${version.os}/${version.release}/${version.arch} ${file.name}`, file.size);
    try {
      await download(file, origin, {
        shelf,
        signal,
        onBytes: (bytes, came) => progress.bytes(file.sha256, bytes, came),
        toll: (bytes) => pace.take(bytes),
        sleep: (milliseconds, until) => sleep(milliseconds, undefined, { signal: until }),
      });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!isExpected(error)) throw error;
      return error.message;
    } finally {
      progress.ended(file.sha256);
    }
  }

  /** All its files are whole and checked: machines are told of it from now on, and no more of what it takes the place of. */
  async #publish(wanted: Wanted): Promise<void> {
    const { store, shelf, signal, clock } = this.#desk;
    let row = this.#rowOf(wanted);
    try {
      for (const file of row.files.filter(({ ftype }) => ftype === ARCHIVE)) {
        const members = await unpackInto(shelf, file, signal);
        row = { ...row, files: [...row.files, ...members] };
      }
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.#trouble(wanted.source, `${rowKey(row)}: ${error.message}${this.#whatStays(wanted)}`);
      return;
    }
    const same = this.#rows().filter((each) => isPublished(each) && imageKey(each) === imageKey(row));
    const rest = same.filter((each) => each.version !== row.version);
    const own = [row, ...rest.filter(({ source }) => source === row.source)];
    const kept = new Set(own.toSorted((a, z) => compareVersions(z.version, a.version)).slice(0, wanted.source.keep));
    const retired = rest.filter((each) => !kept.has(each)).map((each) => ({ ...each, retiredAt: clock.now() }));
    store.write({ set: [row, ...retired] });
    this.#published.push(row);
    this.#guard.published([row]);
    this.#desk.onPublished(row, retired);
  }

  #rowOf({ source, version, files }: Wanted): ImageRow {
    const { product, os, release, arch, subarch, subarches, kflavor, label, title, loaderType } = version;
    return {
      ...(loaderType !== undefined && { loaderType }),
      os,
      release,
      arch,
      subarch,
      subarches,
      kflavor,
      label,
      title,
      product,
      version: version.version,
      source: source.name,
      since: this.#desk.clock.now(),
      files: files.map(({ name, ftype, sha256, size }) => ({ name, ftype, sha256, size })),
    };
  }

  #whatStays({ version }: Wanted): string {
    const here = this.#rows().find((row) => isPublished(row) && imageKey(row) === imageKey(version));
    return here ? `; ${here.version} stays` : '';
  }

  #remember(names: readonly string[]): void {
    const at = this.#desk.clock.now();
    const before = new Map(this.#desk.store.load().sources.map((row) => [row.name, row]));
    const sources = names.map((name): SourceRow => {
      const troubles = this.#troubles.filter(({ source }) => source === name).map(({ reason }) => reason);
      const goodAt = troubles.length === 0 ? at : before.get(name)?.goodAt;
      return { name, triedAt: at, ...(goodAt !== undefined && { goodAt }), troubles };
    });
    this.#desk.store.write({ sources });
  }

  #trouble({ name }: Pick<ImportSource, 'name'>, reason: string): void {
    const count = (this.#troubled.get(name) ?? 0) + 1;
    this.#troubled.set(name, count);
    if (count <= MOST_TOLD) this.#tell(name, reason);
  }

  #tellRest(): void {
    for (const [name, count] of this.#troubled)
      if (count > MOST_TOLD) this.#tell(name, `and ${count - MOST_TOLD} more`);
  }

  #tell(source: string, reason: string): void {
    this.#troubles.push({ source, reason });
    if (!this.#isDryRun) this.#desk.onTrouble(source, reason);
  }

  #publishedFrom(source: string): ImageRow[] {
    return this.#rows().filter((row) => isPublished(row) && row.source === source);
  }

  #rows(): readonly ImageRow[] {
    return this.#desk.store.load().images;
  }
}

function isExpected(error: unknown): error is Error {
  return error instanceof StreamError || error instanceof TransferError || error instanceof DiskFullError;
}

/** What an operator does who knows that it is meant to be older. */
function wayBack(key: string): string {
  const [os, release, arch, subarch] = key.split('/');
  const name = [os, release, arch, subarch].filter((word) => word !== '').join('/');
  return `; where that is meant, "rackboot images remove ${name}" forgets what was here`;
}

function rowKeyOf(version: StreamVersion): string {
  return `${imageKey(version)} ${version.version}`;
}

/** But for its kernel: which of several a subarch means, hangs on what else there is. */
function isAskedFor({ selections }: ImportSource, row: ImageRow): boolean {
  return (
    selections.length === 0 ||
    selections.some(
      ({ os, release, arches, labels }) =>
        answers([os], row.os) &&
        answers([release], row.release) &&
        answers(arches, row.arch) &&
        answers(labels, row.label),
    )
  );
}

function answers(wanted: readonly string[], word: string): boolean {
  return wanted.includes('*') || wanted.includes(word);
}

function wordsOf({ os, release, arches, subarches, labels }: Selection): string {
  return `${os}/${release}, arches ${arches.join(' ')}, subarches ${subarches.join(' ')}, labels ${labels.join(' ')}`;
}
