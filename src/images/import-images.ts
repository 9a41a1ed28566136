import { compareVersions } from '../plan/image-choice.ts';
import type { WantedFile } from './download.ts';
import { BudgetOrigin } from './budget-origin.ts';
import { fetchVersions, rowOf, type WantedVersion } from './fetch-versions.ts';
import { BY_HAND, rowKey, type ImageRow, type SourceRow } from './image-row.ts';
import { ImpatientOrigin } from './impatient-origin.ts';
import type { ImportDesk, ImportSource } from './import-desk.ts';
import { faultOf } from './import-fault.ts';
import { ImportLedger } from './import-ledger.ts';
import { ReplayGuard } from './replay-guard.ts';
import type { StreamVersion } from './streams/read-products.ts';
import { readStream, type StreamPlace } from './streams/read-stream.ts';
import { imageKey, selectVersions, type Selection } from './streams/select-versions.ts';
import { StreamError } from './streams/stream-error.ts';
import { wantedItems } from './wanted-items.ts';

/** All that names the images of a source: Ubuntu's takes some 12 MB and seconds. */
const INDEX_BUDGET = { bytes: 96 * 2 ** 20, milliseconds: 900_000 };

/** Ubuntu's stream has some hundreds in all. */
const MOST_IMAGES = 5_000;
/** Of each source: where everything is wrong, the first lines tell what, and no log has room for all. */
const MOST_TOLD = 20;

export interface ImportReport {
  /** Versions that are there for machines now, and were not before; of a dry run, that would come. */
  readonly published: readonly ImageRow[];
  /** Bytes that had, or would have, to come. */
  readonly bytes: number;
  readonly troubles: readonly { readonly source: string; readonly reason: string }[];
}

/**
 * Brings what the sources have and the selections take onto the shelf. The first source that has an image gives it. What is there
 * from before stays until the new version of it is whole. Settles when nothing of it is going on any more; rejects with AbortError
 * when the signal says so, and with what is a fault of ours.
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
  readonly #wanted: WantedVersion[] = [];
  readonly #ledger: ImportLedger;
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
    this.#ledger = new ImportLedger(desk.store);
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
    else await this.#fetch(fitting);
    this.#tellRest();
    if (!this.#isDryRun) this.#remember(asked);
    return { published: this.#published, bytes: this.#bytes, troubles: this.#troubles };
  }

  /** What is published of a source stays its own: another one must not take its place while it is away. */
  #takeAllOf(source: string): void {
    for (const row of this.#ledger.from(source)) this.#taken.add(imageKey(row));
  }

  async #read(source: ImportSource): Promise<void> {
    this.#desk.progress.reading(source.name);
    try {
      const place = await this.#open(source);
      this.#guard.meet(source.name, place, this.#ledger.from(source.name));
      const now = this.#desk.clock.now();
      const { versions, refused, stamps } = await readStream(this.#rationed(place), this.#desk.signal, now);
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
      this.#desk.signal.throwIfAborted();
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      this.#trouble(source, `${fault}; what is here from it stays`);
      this.#takeAllOf(source.name);
    }
  }

  async #open(source: ImportSource): Promise<StreamPlace> {
    const place = await source.open(this.#desk.signal);
    this.#places.push(place);
    return { ...place, origin: new ImpatientOrigin(place.origin, this.#desk) };
  }

  #rationed(place: StreamPlace): StreamPlace {
    return { ...place, origin: new BudgetOrigin(place.origin, INDEX_BUDGET, this.#desk.clock) };
  }

  #want(source: ImportSource, place: StreamPlace, key: string, versions: readonly StreamVersion[]): void {
    if (this.#taken.has(key)) return;
    this.#taken.add(key);
    const newest = versions[0]?.version ?? '';
    const before = this.#guard.newest(source.name, key);
    if (before !== undefined && compareVersions(newest, before) < 0) {
      const here = this.#ledger.of(key)[0];
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
    const row = this.#ledger.of(imageKey(version)).find((each) => rowKey(each) === rowKeyOf(version));
    const has = (file: WantedFile): boolean => row?.files.some(({ sha256 }) => sha256 === file.sha256) ?? false;
    return row !== undefined && files.every(has) && row.files.every((file) => this.#desk.shelf.has(file));
  }

  /** Of what is here from the source: still wanted, and no longer in the stream, it stays; not wanted any more, it goes. */
  #missMissing(source: ImportSource, found: ReadonlySet<string>): void {
    const unwanted: ImageRow[] = [];
    for (const row of this.#ledger.from(source.name)) {
      if (found.has(imageKey(row))) continue;
      const isLeft = !isAskedFor(source, row);
      if (isLeft && !this.#desk.isUsed(row)) {
        unwanted.push(row);
        continue;
      }
      const why = isLeft
        ? 'is not selected any more, but a boot entry or a loader is made of it'
        : 'is no longer in it';
      this.#trouble(source, `${imageKey(row)}: ${why}; ${row.version} stays`);
      this.#taken.add(imageKey(row));
    }
    if (!this.#isDryRun) this.#retire(unwanted);
  }

  #retire(rows: readonly ImageRow[]): void {
    if (rows.length === 0) return;
    const retiredAt = this.#desk.clock.now();
    this.#ledger.set(rows.map((row) => ({ ...row, retiredAt })));
    this.#desk.onRetired(rows);
  }

  /** What there is room for, in order. */
  #admit(): WantedVersion[] {
    const seen = new Set<string>();
    const { shelf } = this.#desk;
    return this.#wanted.filter((wanted) => {
      try {
        const fresh = wanted.files.filter((file) => !seen.has(file.sha256) && !shelf.has(file));
        const bytes = fresh.reduce((sum, { sha256, size }) => sum + size - Math.min(size, shelf.partSize(sha256)), 0);
        shelf.demand(this.#bytes + bytes);
        for (const { sha256 } of fresh) seen.add(sha256);
        this.#bytes += bytes;
        return true;
      } catch (error) {
        const fault = faultOf(error);
        if (fault === undefined) throw error;
        this.#trouble(wanted.source, `${rowKeyOf(wanted.version)}: ${fault}`);
        return false;
      }
    });
  }

  #fetch(wanted: readonly WantedVersion[]): Promise<void> {
    return fetchVersions(wanted, {
      ...this.#desk,
      ledger: this.#ledger,
      trouble: (source, reason) => this.#trouble(source, reason),
      onPublished: (row, retired) => {
        this.#published.push(row);
        this.#desk.onPublished(row, retired);
        this.#guard.published([row]);
      },
    });
  }

  #rowOf({ source, version, files }: WantedVersion): ImageRow {
    return rowOf(version, source.name, files, this.#desk.clock.now());
  }

  /** What is here is here, whether or not it can be written down how its sources went. */
  #remember(names: readonly string[]): void {
    const at = this.#desk.clock.now();
    try {
      const before = new Map(this.#desk.store.load().sources.map((row) => [row.name, row]));
      const sources = names.map((name): SourceRow => {
        const troubles = this.#troubles.filter(({ source }) => source === name).map(({ reason }) => reason);
        const goodAt = troubles.length === 0 ? at : before.get(name)?.goodAt;
        return { name, triedAt: at, ...(goodAt !== undefined && { goodAt }), troubles };
      });
      this.#desk.store.write({ sources });
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      for (const name of names) this.#trouble({ name }, `how it went can't be kept: ${fault}`);
    }
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
