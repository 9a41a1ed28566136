import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { imageShelf } from '../plan/stored-image.ts';
import { isBusy, isDamage, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import { rowKey, type ImageRow } from './image-row.ts';
import { ImageIndexError, readImageRow, readMemory, SELECT_IMAGES, SqliteImageStore } from './image-store.ts';
import type { ImageMemory, IndexGap } from './image-store.ts';

/** A commit waits for the disk, and who reads waits with it. */
const BUSY_MILLISECONDS = 2_000;

const NOTHING: ImageMemory = { images: [], sources: [] };

export interface OpenedImages {
  readonly store: SqliteImageStore;
  /** It was damaged, or gone from beside its files. What was there of it was set aside; `recovered` versions could be read in it. */
  readonly replaced?: { readonly reason: string; readonly setAside?: string; readonly recovered: number };
}

/** The index in a rack's state. */
export function imageIndex(state: string): string {
  return join(state, 'images.db');
}

/**
 * Opens or creates the index. A damaged one is set aside, and what can be read of it is taken over. One that is begun anew beside
 * files of images has a gap: it does not know whose they are. Throws what the disk says. `now`: Unix milliseconds.
 */
export function openImageStore(file: string, now: number): OpenedImages {
  mkdirSync(dirname(file), { recursive: true });
  const hasFiles = isFilled(imageShelf(dirname(file)));
  const gapFor = (reason: string): IndexGap | undefined => (hasFiles ? { since: now, reason } : undefined);
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (hasFiles && bytes === undefined) {
    const reason = 'no such file';
    return { store: new SqliteImageStore(file, gapFor(reason)), replaced: { reason, recovered: 0 } };
  }
  try {
    if (hasFiles && bytes === 0) throw new ImageIndexError('an empty file');
    return { store: new SqliteImageStore(file, gapFor('nothing in it')) };
  } catch (error) {
    if (!(error instanceof ImageIndexError) && !isDamage(error)) throw error;
    const reason = messageOf(error);
    const setAside = setDatabaseAside(file, now);
    const images = readDamagedImages(setAside);
    const store = new SqliteImageStore(file, gapFor(reason));
    store.write({ set: images });
    return { store, replaced: { reason, setAside, recovered: images.length } };
  }
}

function isFilled(shelf: string): boolean {
  try {
    return readdirSync(shelf).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * What an index holds, for whoever does not write it: the compiler of Plans and commands. Leaves nothing beside the file. One that
 * is not there, or can't be read, holds nothing; a damaged one holds what can be read of it. Undefined while someone writes it and
 * does not come to an end: then nobody knows.
 */
export function readImageIndex(file: string): ImageMemory | undefined {
  if (!existsSync(file)) return NOTHING;
  for (const readOnly of [true, false]) {
    // Only who may write can undo what a kill left half done
    const memory = tryReading(file, readOnly);
    if (memory === 'busy') return undefined;
    if (memory) return memory;
  }
  return { images: readDamagedImages(file), sources: [], isDamaged: true };
}

function tryReading(file: string, readOnly: boolean): ImageMemory | 'busy' | undefined {
  try {
    const database = new DatabaseSync(file, { readOnly, timeout: BUSY_MILLISECONDS });
    try {
      return readMemory(database);
    } finally {
      database.close();
    }
  } catch (error) {
    return isBusy(error) ? 'busy' : undefined;
  }
}

/** From both ends up to the damage. `file` is not written to. */
function readDamagedImages(file: string): ImageRow[] {
  const found = new Map<string, ImageRow>();
  for (const order of ['ASC', 'DESC']) {
    try {
      const database = new DatabaseSync(file, { readOnly: true, defensive: false });
      try {
        database.exec('PRAGMA writable_schema = ON');
        for (const columns of database.prepare(`${SELECT_IMAGES} ORDER BY key ${order}`).iterate())
          for (const row of readImageRow(columns)) found.set(rowKey(row), row);
      } finally {
        database.close();
      }
    } catch {
      // As far as it went
    }
  }
  return [...found.values()];
}
