import { setImmediate as nextTurn } from 'node:timers/promises';

import { compareVersions } from '../plan/image-choice.ts';
import type { StoredFile } from '../plan/stored-image.ts';
import { download, type WantedFile } from './download.ts';
import type { FileHold } from './file-hold.ts';
import { BY_HAND, rowKey, type ImageRow } from './image-row.ts';
import { faultOf } from './import-fault.ts';
import type { ImportDesk, ImportSource } from './import-desk.ts';
import type { ImportLedger } from './import-ledger.ts';
import type { StreamVersion } from './streams/read-products.ts';
import type { StreamPlace } from './streams/read-stream.ts';
import { imageKey } from './streams/select-versions.ts';
import { TransferError } from './transfer-error.ts';
import { unpackInto } from './unpack-into.ts';
import { ARCHIVE } from './wanted-items.ts';

/** So many files in a row that could not be had for what might pass, and nothing more is asked of their source. */
const MOST_LOST = 3;

/** A version that is to come. */
export interface WantedVersion {
  readonly source: ImportSource;
  readonly place: StreamPlace;
  readonly version: StreamVersion;
  readonly files: readonly (StoredFile & WantedFile)[];
}

export type FetchDesk = Pick<
  ImportDesk,
  'shelf' | 'clock' | 'sleep' | 'pace' | 'progress' | 'parallel' | 'onPublished'
> & {
  readonly ledger: ImportLedger;
  readonly trouble: (source: ImportSource, reason: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Brings the files of these versions onto the shelf and publishes each version as soon as it is whole. What can't be had, or written
 * down, is a trouble of its version, and the others go on. Settles when nobody writes any more: rejects with AbortError when the
 * signal says so, and with what is a fault of ours, which ends it for all.
 */
export async function fetchVersions(wanted: readonly WantedVersion[], desk: FetchDesk): Promise<void> {
  const fault = new AbortController();
  const signal = AbortSignal.any([desk.signal, fault.signal]);
  using hold = desk.shelf.hold();
  const fetching = new Fetching(wanted, { ...desk, signal }, hold);
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      fault.abort(error);
    }
  };
  await guarded(() => fetching.publishWhatIsHere());
  await Promise.all(Array.from({ length: desk.parallel }, () => guarded(() => fetching.work())));
  desk.signal.throwIfAborted();
  fault.signal.throwIfAborted();
  fetching.missRest();
}

class Fetching {
  readonly #desk: FetchDesk;
  readonly #hold: FileHold;
  /** Versions that are not settled, with the checksums of what each still waits for. */
  readonly #waiting = new Map<WantedVersion, Set<string>>();
  /** Who waits for a file. */
  readonly #waiters = new Map<string, WantedVersion[]>();
  readonly #queue: Iterator<Errand>;
  /** Of each place, the files in a row that it did not give. */
  readonly #lost = new Map<StreamPlace, number>();
  #turn: Promise<void> = Promise.resolve();

  constructor(wanted: readonly WantedVersion[], desk: FetchDesk, hold: FileHold) {
    this.#desk = desk;
    this.#hold = hold;
    const errands = new Map<string, Errand>();
    for (const each of wanted) {
      hold.add(...each.files.map(({ sha256 }) => sha256));
      const missing = each.files.filter((file) => errands.has(file.sha256) || !desk.shelf.has(file));
      this.#waiting.set(each, new Set(missing.map(({ sha256 }) => sha256)));
      for (const file of missing) {
        const waiters = this.#waiters.get(file.sha256) ?? [];
        if (!waiters.includes(each)) waiters.push(each);
        this.#waiters.set(file.sha256, waiters);
        if (!errands.has(file.sha256)) errands.set(file.sha256, { place: each.place, version: each.version, file });
      }
    }
    desk.progress.fetching([...errands.values()].reduce((sum, { file }) => sum + file.size, 0));
    this.#queue = errands.values();
  }

  async publishWhatIsHere(): Promise<void> {
    for (const [each, missing] of this.#waiting) {
      this.#desk.signal.throwIfAborted();
      if (missing.size === 0) await this.#settle(each);
    }
  }

  /** As long as there are files to fetch. */
  async work(): Promise<void> {
    for (let next = this.#queue.next(); next.done !== true; next = this.#queue.next()) {
      this.#desk.signal.throwIfAborted();
      const reason = await this.#fetch(next.value);
      const { sha256 } = next.value.file;
      await this.#inTurn(() => this.#arrived(sha256, reason));
    }
  }

  /** What neither came nor failed is told all the same. */
  missRest(): void {
    for (const { source, version } of this.#waiting.keys()) {
      this.#desk.trouble(source, `${imageKey(version)} ${version.version}: not all of its files came`);
    }
  }

  /** One version is published after the other: what takes whose place must not be decided twice at once. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #arrived(sha256: string, reason: string | undefined): Promise<void> {
    for (const each of this.#waiters.get(sha256) ?? []) {
      const missing = this.#waiting.get(each);
      if (!missing) continue;
      missing.delete(sha256);
      if (reason !== undefined || missing.size === 0) await this.#settle(each, reason);
    }
  }

  async #settle(wanted: WantedVersion, reason?: string): Promise<void> {
    // Each is a commit, which waits for the disk: of thousands in a row, others on this thread have their turn between
    await nextTurn();
    this.#desk.signal.throwIfAborted();
    this.#waiting.delete(wanted);
    const fault = reason ?? (await this.#publish(wanted));
    if (fault === undefined) return;
    const here = this.#desk.ledger.of(imageKey(wanted.version))[0];
    const stays = here ? `; ${here.version} stays` : '';
    this.#desk.trouble(wanted.source, `${imageKey(wanted.version)} ${wanted.version.version}: ${fault}${stays}`);
  }

  /** Why it could not be had. */
  async #fetch({ place, version, file }: Errand): Promise<string | undefined> {
    const { shelf, signal, progress, pace, sleep } = this.#desk;
    const { origin } = place;
    const lost = this.#lost.get(place) ?? 0;
    if (lost >= MOST_LOST)
      return `${origin.locate(file.path)}: not asked for, as ${lost} files in a row could not be had`;
    progress.began(file.sha256, `${version.os}/${version.release}/${version.arch} ${file.name}`, file.size);
    try {
      await download(file, origin, {
        shelf,
        signal,
        onBytes: (bytes, came) => progress.bytes(file.sha256, bytes, came),
        toll: (bytes) => pace.take(bytes),
        sleep,
      });
      this.#lost.set(place, 0);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      const mayPass = error instanceof TransferError && error.mayPass;
      this.#lost.set(place, mayPass ? (this.#lost.get(place) ?? 0) + 1 : 0);
      return fault;
    } finally {
      progress.ended(file.sha256);
    }
  }

  /** All its files are whole and checked: machines are told of it from now on, and no more of what it takes the place of. Gives what hinders it. */
  async #publish(wanted: WantedVersion): Promise<string | undefined> {
    const { signal } = this.#desk;
    try {
      const row = await this.#unpacked(this.#rowOf(wanted));
      const gone = row.files.find((file) => !this.#desk.shelf.has(file));
      if (gone) return `${gone.name} is gone again`;
      const before = this.#desk.ledger.of(imageKey(row));
      if (before.some(({ source }) => source === BY_HAND)) return 'an image that was added by hand has its place';
      this.#replace(before, row, wanted.source.keep);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      return fault;
    }
  }

  async #unpacked(row: ImageRow): Promise<ImageRow> {
    const { shelf, signal } = this.#desk;
    const files = [...row.files];
    for (const file of row.files.filter(({ ftype }) => ftype === ARCHIVE)) {
      files.push(...(await unpackInto(shelf, file, this.#hold, signal)));
    }
    return { ...row, files };
  }

  #replace(before: readonly ImageRow[], row: ImageRow, keep: number): void {
    const { shelf, clock, ledger, onPublished } = this.#desk;
    const rest = before.filter((each) => rowKey(each) !== rowKey(row));
    const own = [row, ...rest.filter(({ source }) => source === row.source)];
    const kept = new Set(own.toSorted((a, z) => compareVersions(z.version, a.version)).slice(0, keep));
    const retired = rest.filter((each) => !kept.has(each)).map((each) => ({ ...each, retiredAt: clock.now() }));
    // A version that is shown anew with other files: nothing else will know of those that machines were told of
    const same = before.find((each) => rowKey(each) === rowKey(row));
    for (const { sha256 } of same?.files ?? []) shelf.spare(sha256);
    ledger.set([row, ...retired]);
    onPublished(row, retired);
  }

  #rowOf({ source, version, files }: WantedVersion): ImageRow {
    return rowOf(version, source.name, files, this.#desk.clock.now());
  }
}

interface Errand {
  readonly place: StreamPlace;
  readonly version: StreamVersion;
  readonly file: StoredFile & WantedFile;
}

/** A version as the index has it. `since`: Unix milliseconds. */
export function rowOf(version: StreamVersion, source: string, files: readonly StoredFile[], since: number): ImageRow {
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
    source,
    since,
    files: files.map(({ name, ftype, sha256, size }) => ({ name, ftype, sha256, size })),
  };
}
