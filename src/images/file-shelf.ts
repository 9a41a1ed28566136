import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { imageShelf, shelvedFile, type StoredFile } from '../plan/stored-image.ts';
import { DiskRoom, type RoomClaim } from './disk-room.ts';
import { FileHold } from './file-hold.ts';
import { OpenPart } from './open-part.ts';
import { ShelfError } from './transfer-error.ts';

const SHA256 = /^[0-9a-f]{64}$/;
/** What `images add` and an archive's files are called until they are whole, and a mark. */
const TEMPORARY = /^(?:adding|unpacking)-[0-9a-f-]{36}$/;
const MARK = /^([0-9a-f]{64})\.from$/;

/** A file by its content. */
export type Content = Pick<StoredFile, 'sha256' | 'size'>;

/** What of a file is here already, and which file of a server it is of. */
export interface PartMark {
  readonly place: string;
  readonly validator: string;
}

/** A file with when it last changed, or came where it is; Unix milliseconds. */
export interface FileAge {
  readonly path: string;
  readonly size: number;
  readonly at: number;
}

/**
 * Files by their content: `sha256/` holds what is whole and checked, `partial/` what is still coming, `quarantine/` what was
 * whole once. A file gets into `sha256/` by a rename and is never written to again, so that whoever opened it keeps what it
 * opened, even after it was removed.
 */
export class FileShelf {
  readonly whole: string;
  readonly #partial: string;
  readonly #quarantine: string;
  readonly #room: DiskRoom;
  /** Parts that somebody has open. */
  readonly #open = new Set<string>();
  readonly #holds = new Set<ReadonlySet<string>>();

  constructor(state: string, room?: DiskRoom) {
    this.whole = imageShelf(state);
    const images = dirname(this.whole);
    this.#partial = join(images, 'partial');
    this.#quarantine = join(images, 'quarantine');
    this.#room = room ?? new DiskRoom(images);
  }

  /** Throws what the disk says. */
  prepare(): void {
    for (const directory of [this.whole, this.#partial]) mkdirSync(directory, { recursive: true });
  }

  pathOf(sha256: string): string {
    return shelvedFile(this.whole, sha256);
  }

  has({ sha256, size }: Content): boolean {
    return statSync(this.pathOf(sha256), { throwIfNoEntry: false })?.size === size;
  }

  /** The names of all whole files, with when each came. */
  list(): { sha256: string; size: number; cameAt: number }[] {
    return agesIn(this.whole, (name) => SHA256.test(name)).map(({ name, size, ctimeMs }) => ({
      sha256: name,
      size,
      cameAt: ctimeMs,
    }));
  }

  remove(sha256: string): void {
    rmSync(this.pathOf(sha256), { force: true });
  }

  /** Counts as one that came just now: no image has it any more, but machines were told of it. What can't be is not. */
  spare(sha256: string): void {
    const now = new Date();
    try {
      utimesSync(this.pathOf(sha256), now, now);
    } catch {
      // It is gone already, or of another owner: then it goes with the next collection
    }
  }

  /** Out of the way of machines, but kept for who wants to know what happened to it. */
  quarantine(sha256: string): string {
    mkdirSync(this.#quarantine, { recursive: true });
    const place = join(this.#quarantine, sha256);
    renameSync(this.pathOf(sha256), place);
    return place;
  }

  /** What is in quarantine, with when it got there. */
  quarantined(): FileAge[] {
    return agesIn(this.#quarantine, (name) => SHA256.test(name)).map(({ path, size, ctimeMs }) => ({
      path,
      size,
      at: ctimeMs,
    }));
  }

  /** Nothing of what is added to it is garbage until it is disposed of. */
  hold(): FileHold {
    const held = new Set<string>();
    this.#holds.add(held);
    return new FileHold(held, () => this.#holds.delete(held));
  }

  isHeld(sha256: string): boolean {
    return this.#open.has(sha256) || [...this.#holds].some((held) => held.has(sha256));
  }

  /** Bytes of it that are here, of those that are still coming. */
  partSize(sha256: string): number {
    return statSync(this.partOf(sha256), { throwIfNoEntry: false })?.size ?? 0;
  }

  partOf(sha256: string): string {
    return join(this.#partial, sha256);
  }

  /** Its holder alone writes to it until it is disposed of. Throws ShelfError when someone else has it open, or what the disk says. */
  async openPart(sha256: string): Promise<OpenPart> {
    if (this.#open.has(sha256)) throw new ShelfError(`${this.partOf(sha256)}: is being fetched already`);
    this.#open.add(sha256);
    try {
      const handle = await open(this.partOf(sha256), 'a+', 0o640);
      return new OpenPart(
        handle,
        ({ size }) => this.#publish(handle, { sha256, size }),
        () => this.#open.delete(sha256),
      );
    } catch (error) {
      this.#open.delete(sha256);
      throw error;
    }
  }

  /** Undefined when nobody knows: then the checksum alone tells whether it was of the same file. */
  partMark(sha256: string): PartMark | undefined {
    try {
      const { place, validator } = JSON.parse(readFileSync(this.#markOf(sha256), 'utf8')) as Partial<PartMark>;
      return typeof place === 'string' && typeof validator === 'string' ? { place, validator } : undefined;
    } catch {
      return undefined;
    }
  }

  markPart(sha256: string, mark: PartMark | undefined): void {
    if (mark) writeFileSync(this.#markOf(sha256), JSON.stringify(mark));
    else rmSync(this.#markOf(sha256), { force: true });
  }

  dropPart(sha256: string): void {
    for (const file of [this.partOf(sha256), this.#markOf(sha256)]) rmSync(file, { force: true });
  }

  /** Names of what began to come. */
  parts(): string[] {
    return namesIn(this.#partial).filter((name) => SHA256.test(name));
  }

  /** What a kill left behind and nobody will go on with, unless it is being written just now. */
  leftovers(): FileAge[] {
    const parts = new Set(this.parts());
    const isLeft = (name: string): boolean =>
      TEMPORARY.test(name) || (MARK.test(name) && !parts.has(name.slice(0, 64)));
    return agesIn(this.#partial, isLeft).map(({ path, size, mtimeMs }) => ({ path, size, at: mtimeMs }));
  }

  /** What `leftovers` or `quarantined` told of. */
  discard(path: string): void {
    rmSync(path, { force: true });
  }

  /** Shelves what is here whole already, as out of an archive: under a name of its own until it is, as others may have the same. */
  async put(bytes: Uint8Array): Promise<Content> {
    const content = { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
    const temporary = join(this.#partial, `unpacking-${randomUUID()}`);
    using room = this.claim();
    room.take(content.size);
    const handle = await open(temporary, 'wx', 0o640);
    try {
      await handle.writeFile(bytes);
      await settle(temporary, handle, content);
      await this.#enter(temporary, content.sha256);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return content;
  }

  /** Throws DiskFullError when the disk has no room for so many bytes more, and what must stay free. */
  demand(bytes: number): void {
    this.#room.demand(bytes);
  }

  claim(): RoomClaim {
    return this.#room.claim();
  }

  async #publish(handle: FileHandle, content: Content): Promise<void> {
    const { sha256 } = content;
    try {
      await settle(this.partOf(sha256), handle, content);
    } catch (error) {
      // What could not be written down is not what a next try may believe in, although it reads back well from memory
      this.dropPart(sha256);
      throw error;
    }
    await this.#enter(this.partOf(sha256), sha256);
    rmSync(this.#markOf(sha256), { force: true });
  }

  /** From now on it is there for machines, and stays so after a power cut. */
  async #enter(settled: string, sha256: string): Promise<void> {
    await rename(settled, this.pathOf(sha256));
    await syncDirectory(this.whole);
  }

  #markOf(sha256: string): string {
    return join(this.#partial, `${sha256}.from`);
  }
}

/** On the disk, all of it. Throws ShelfError when it has another length. */
async function settle(file: string, handle: FileHandle, { size }: Content): Promise<void> {
  await handle.sync();
  const found = (await handle.stat()).size;
  if (found !== size) throw new ShelfError(`${file}: expected ${size} bytes, found ${found}`);
}

interface NamedAge {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
}

function agesIn(directory: string, isMeant: (name: string) => boolean): NamedAge[] {
  return namesIn(directory)
    .filter(isMeant)
    .flatMap((name) => {
      const path = join(directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat ? [{ name, path, size: stat.size, ctimeMs: stat.ctimeMs, mtimeMs: stat.mtimeMs }] : [];
    });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
