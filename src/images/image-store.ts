import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { StoredFile } from '../plan/stored-image.ts';
import { rowKey, type ImageRow, type SourceRow } from './image-row.ts';

/** What is known of images: published and retired versions, and how each source went. */
export interface ImageMemory {
  readonly images: readonly ImageRow[];
  readonly sources: readonly SourceRow[];
}

/** What is to be on disk, all of it or nothing. */
export interface ImageChanges {
  readonly set?: readonly ImageRow[];
  readonly gone?: readonly ImageRow[];
  readonly sources?: readonly SourceRow[];
}

/** The file is there and is not a sound one of this version. */
export class ImageIndexError extends Error {
  override readonly name = 'ImageIndexError';
}

export const SELECT_IMAGES =
  'SELECT key, os, release, arch, subarch, label, version, source, details, files, since, retired FROM image';
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE image (
    key TEXT PRIMARY KEY,
    os TEXT NOT NULL,
    release TEXT NOT NULL,
    arch TEXT NOT NULL,
    subarch TEXT NOT NULL,
    label TEXT NOT NULL,
    version TEXT NOT NULL,
    source TEXT NOT NULL,
    details TEXT NOT NULL,
    files TEXT NOT NULL,
    since INTEGER NOT NULL,
    retired INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE source (name TEXT PRIMARY KEY, tried INTEGER NOT NULL, good INTEGER, troubles TEXT NOT NULL) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The index of images in one SQLite file. When `write` returns, a power cut loses nothing of it. */
export class SqliteImageStore {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #source: StatementSync;
  readonly #version: StatementSync;
  #written = 0;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a sound file of this version. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      const found = this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      if (found !== 'ok') throw new ImageIndexError(`expected a sound index of images, found: ${String(found)}`);
      this.#upsert = this.#database.prepare('INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      this.#delete = this.#database.prepare('DELETE FROM image WHERE key = ?');
      this.#source = this.#database.prepare('INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?)');
      this.#version = this.#database.prepare('PRAGMA data_version');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(): ImageMemory {
    return readMemory(this.#database);
  }

  /** `own`: how often it was written to here; `others`: another number as soon as any other connection has committed. */
  revision(): { readonly own: number; readonly others: number } {
    return { own: this.#written, others: Number(this.#version.get()?.['data_version']) };
  }

  write({ set = [], gone = [], sources = [] }: ImageChanges): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of gone) this.#delete.run(rowKey(row));
      for (const row of set) this.#upsert.run(...columnsOf(row));
      for (const { name, triedAt, goodAt = null, troubles } of sources)
        this.#source.run(name, triedAt, goodAt, JSON.stringify(troubles));
      this.#database.exec('COMMIT');
      this.#written++;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** No log beside it: it is written seldom, and the compiler of Plans and commands read it without leaving anything behind. */
  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new ImageIndexError(`${file}: expected an index of version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  }
}

export function readMemory(database: DatabaseSync): ImageMemory {
  return {
    images: database.prepare(SELECT_IMAGES).all().flatMap(readImageRow),
    sources: database.prepare('SELECT name, tried, good, troubles FROM source').all().flatMap(readSourceRow),
  };
}

/** None when it is not one that we wrote. */
export function readImageRow(columns: Record<string, SQLOutputValue>): ImageRow[] {
  try {
    const { os, release, arch, subarch, label, version, source, since, retired } = columns;
    const words = { os, release, arch, subarch, label, version, source } as Record<string, SQLOutputValue>;
    if (Object.values(words).some((word) => typeof word !== 'string')) return [];
    const details = JSON.parse(String(columns['details'])) as Pick<
      ImageRow,
      'subarches' | 'kflavor' | 'title' | 'product' | 'loaderType'
    >;
    const files = JSON.parse(String(columns['files'])) as StoredFile[];
    return [
      {
        ...(words as Record<'os' | 'release' | 'arch' | 'subarch' | 'label' | 'version' | 'source', string>),
        ...details,
        files,
        since: Number(since),
        ...(typeof retired === 'number' && { retiredAt: retired }),
      },
    ];
  } catch {
    return [];
  }
}

function readSourceRow({ name, tried, good, troubles }: Record<string, SQLOutputValue>): SourceRow[] {
  return [
    {
      name: String(name),
      triedAt: Number(tried),
      ...(typeof good === 'number' && { goodAt: good }),
      troubles: JSON.parse(String(troubles)) as string[],
    },
  ];
}

function columnsOf(row: ImageRow): (string | number | null)[] {
  const { os, release, arch, subarch, label, version, source, files, since, retiredAt = null } = row;
  const { subarches, kflavor, title, product, loaderType } = row;
  const details = JSON.stringify({ subarches, kflavor, title, product, loaderType });
  return [
    rowKey(row),
    os,
    release,
    arch,
    subarch,
    label,
    version,
    source,
    details,
    JSON.stringify(files),
    Math.floor(since),
    retiredAt === null ? null : Math.floor(retiredAt),
  ];
}
