import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { imageShelf, shelvedFile } from '../plan/stored-image.ts';
import { DiskFullError } from './transfer-error.ts';

const SHA256 = /^[0-9a-f]{64}$/;
/** Leases and boot states are on the same disk, and must still be written: what images leave free, at most and as a share. */
const MOST_RESERVED = 128 * 2 ** 20;
const RESERVED_SHARE = 0.05;

/** What of a file is here already, and which file of a server it is of. */
export interface PartMark {
  readonly place: string;
  readonly validator: string;
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

  constructor(state: string) {
    this.whole = imageShelf(state);
    this.#partial = join(dirname(this.whole), 'partial');
    this.#quarantine = join(dirname(this.whole), 'quarantine');
  }

  /** Throws what the disk says. */
  prepare(): void {
    for (const directory of [this.whole, this.#partial]) mkdirSync(directory, { recursive: true });
  }

  pathOf(sha256: string): string {
    return shelvedFile(this.whole, sha256);
  }

  has({ sha256, size }: { readonly sha256: string; readonly size: number }): boolean {
    return statSync(this.pathOf(sha256), { throwIfNoEntry: false })?.size === size;
  }

  /** The names of all whole files, with when each came. */
  list(): { sha256: string; size: number; cameAt: number }[] {
    return namesIn(this.whole).flatMap((sha256) => {
      const stat = statSync(this.pathOf(sha256), { throwIfNoEntry: false });
      return stat ? [{ sha256, size: stat.size, cameAt: stat.ctimeMs }] : [];
    });
  }

  remove(sha256: string): void {
    rmSync(this.pathOf(sha256), { force: true });
  }

  /** Out of the way of machines, but kept for who wants to know what happened to the disk. */
  quarantine(sha256: string): string {
    mkdirSync(this.#quarantine, { recursive: true });
    const place = join(this.#quarantine, sha256);
    renameSync(this.pathOf(sha256), place);
    return place;
  }

  /** Bytes of it that are here, of those that are still coming. */
  partSize(sha256: string): number {
    return statSync(this.#partOf(sha256), { throwIfNoEntry: false })?.size ?? 0;
  }

  partOf(sha256: string): string {
    return this.#partOf(sha256);
  }

  openPart(sha256: string): Promise<FileHandle> {
    return open(this.#partOf(sha256), 'a+', 0o640);
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
    for (const file of [this.#partOf(sha256), this.#markOf(sha256)]) rmSync(file, { force: true });
  }

  /** Names of what began to come. */
  parts(): string[] {
    return namesIn(this.#partial);
  }

  /** What came is whole and checked: from now on it is there for machines, and stays so after a power cut. */
  async publish(sha256: string, handle: FileHandle): Promise<void> {
    await handle.sync();
    await rename(this.#partOf(sha256), this.pathOf(sha256));
    await syncDirectory(this.whole);
    rmSync(this.#markOf(sha256), { force: true });
  }

  /** Throws DiskFullError when the disk has no room for so many bytes more, and what must stay free. */
  demand(bytes: number): void {
    const { bavail, blocks, bsize } = statfsSync(this.#partial);
    const reserved = Math.min(MOST_RESERVED, Math.floor(blocks * bsize * RESERVED_SHARE));
    const free = Math.max(0, bavail * bsize - reserved);
    if (bytes <= free) return;
    throw new DiskFullError(
      `${dirname(this.whole)}: no room: ${megabytes(bytes)} needed, ${megabytes(free)} free besides the ${megabytes(reserved)} that leases keep`,
    );
  }

  #partOf(sha256: string): string {
    return join(this.#partial, sha256);
  }

  #markOf(sha256: string): string {
    return join(this.#partial, `${sha256}.from`);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => SHA256.test(name));
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

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
