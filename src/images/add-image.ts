import { createHash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { StoredFile } from '../plan/stored-image.ts';
import { demandFile, NoFileError } from './demand-file.ts';
import { FileShelf } from './file-shelf.ts';
import { BY_HAND, isPublished, type ImageRow } from './image-row.ts';
import { imageIndex, openImageStore } from './open-image-store.ts';
import { imageKey } from './streams/select-versions.ts';

const BLOCK = 1024 * 1024;
/** Label and kernel of what no stream says anything about. */
const LABEL = 'added';
const SUBARCH = 'generic';

/** A part of a file on disk: all of it, or a file inside an ISO. */
export interface PartOfFile {
  readonly file: string;
  readonly offset?: number;
  readonly size?: number;
}

export interface AddedImage {
  readonly os: string;
  readonly release: string;
  readonly arch: string;
  readonly files: readonly (Pick<StoredFile, 'name' | 'ftype'> & { readonly content: PartOfFile })[];
}

/**
 * Puts an operator's own files on the shelf of a rack, running or not, as one image in the place of the one that had its name.
 * `now`: Unix milliseconds. Throws what the disk says.
 */
export async function addImage(state: string, added: AddedImage, now: number): Promise<ImageRow> {
  for (const { content } of added.files) {
    demandFile(content.file);
    if (content.size === 0)
      throw new NoFileError(`${content.file}: expected something in what it boots, found nothing`);
  }
  const shelf = new FileShelf(state);
  shelf.prepare();
  // Ahead of the files: an index that is begun beside some has lost what it knew of them
  const index = imageIndex(state);
  openImageStore(index, now).store.close();
  giveToOwner(state, index, shelf.whole, dirname(shelf.whole), join(dirname(shelf.whole), 'partial'));
  const files: StoredFile[] = [];
  for (const { name, ftype, content } of added.files) files.push({ name, ftype, ...(await shelve(shelf, content)) });
  const { os, release, arch } = added;
  const row: ImageRow = {
    os,
    release,
    arch,
    subarch: SUBARCH,
    subarches: [SUBARCH],
    kflavor: 'generic',
    label: LABEL,
    version: versionAt(now),
    title: '',
    product: '',
    source: BY_HAND,
    since: now,
    files,
  };
  const { store } = openImageStore(index, now);
  try {
    const before = store.load().images.filter((each) => isPublished(each) && imageKey(each) === imageKey(row));
    store.write({ set: [...before.map((each) => ({ ...each, retiredAt: now })), row] });
  } finally {
    store.close();
  }
  return row;
}

async function shelve(shelf: FileShelf, part: PartOfFile): Promise<Pick<StoredFile, 'sha256' | 'size'>> {
  const place = join(dirname(shelf.whole), 'partial');
  mkdirSync(place, { recursive: true });
  const temporary = join(place, `adding-${randomUUID()}`);
  const from = await open(part.file);
  const to = await open(temporary, 'wx', 0o640);
  try {
    const size = part.size ?? (await from.stat()).size - (part.offset ?? 0);
    shelf.demand(size);
    const sha256 = await copy(from, to, part.offset ?? 0, size);
    await to.sync();
    giveToOwner(shelf.whole, temporary);
    await rename(temporary, shelf.pathOf(sha256));
    return { sha256, size };
  } finally {
    await from.close();
    await to.close();
    await rm(temporary, { force: true });
  }
}

/** Gives its sha256. Throws when there is less of it than its size says. */
async function copy(from: FileHandle, to: FileHandle, offset: number, size: number): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(BLOCK);
  for (let at = 0; at < size;) {
    const { bytesRead } = await from.read(block, 0, Math.min(BLOCK, size - at), offset + at);
    if (bytesRead === 0) throw new Error(`a file ends ${size - at} bytes early`);
    const bytes = block.subarray(0, bytesRead);
    hash.update(bytes);
    await to.writeFile(bytes);
    at += bytesRead;
  }
  return hash.digest('hex');
}

/** Root adds what the rack, which is not root, must be able to take away. */
function giveToOwner(of: string, ...files: readonly string[]): void {
  const { uid, gid } = statSync(of);
  for (const file of files) {
    if (!existsSync(file)) continue;
    const stat = statSync(file);
    if (stat.uid !== uid || stat.gid !== gid) chownSync(file, uid, gid);
  }
}

/** "20260718.093042": later ones are newer. */
function versionAt(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}.${time}`;
}
