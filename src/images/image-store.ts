import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { StoredFile } from '../plan/stored-image.ts';
import { rowKey, type ImageRow, type SourceRow } from './image-row.ts';

/** What is known of images: published and retired versions, and how each source went. */
export interface ImageMemory {
  readonly images: readonly ImageRow[];
  readonly sources: readonly SourceRow[];
}

/** The newest version of an image that came from a stream; `stream`: where it is, whatever its source is called. */
export interface VersionMark {
  readonly stream: string;
  readonly image: string;
  readonly version: string;
}

/** When a signed file of a stream was written, as it was last read. Unix milliseconds. */
interface StampMark {
  readonly stream: string;
  readonly place: string;
  readonly updated: number;
}

/** What was had of streams, whether any of it is here still. */
export interface StreamMarks {
  readonly newest: readonly VersionMark[];
  readonly stamps: readonly StampMark[];
}

/** What is to be on disk, all of it or nothing. */
export interface ImageChanges {
  readonly set?: readonly ImageRow[];
  readonly gone?: readonly ImageRow[];
  readonly sources?: readonly SourceRow[];
  readonly newest?: readonly VersionMark[];
  readonly stamps?: readonly StampMark[];
  /** Of these, all that is remembered of their streams too. */
  readonly forgotten?: readonly VersionMark[];
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
/** Came later; a rackboot that does not know of them lets them be. */
const MARKS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS newest (
    stream TEXT NOT NULL, image TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (stream, image)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS stamp (
    stream TEXT NOT NULL, place TEXT NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (stream, place)
  ) STRICT, WITHOUT ROWID;
`;

/** The index of images in one SQLite file. When `write` returns, a power cut loses nothing of it. */
export class SqliteImageStore {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #source: StatementSync;
  readonly #marks: MarkTables;

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
      this.#marks = new MarkTables(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(): ImageMemory {
    return readMemory(this.#database);
  }

  marks(): StreamMarks {
    return this.#marks.read();
  }

  write({ set = [], gone = [], sources = [], ...marks }: ImageChanges): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of gone) this.#delete.run(rowKey(row));
      for (const row of set) this.#upsert.run(...columnsOf(row));
      for (const { name, triedAt, goodAt = null, troubles } of sources)
        this.#source.run(name, triedAt, goodAt, JSON.stringify(troubles));
      this.#marks.write(marks);
      this.#database.exec('COMMIT');
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

/** Marks in the same file. */
class MarkTables {
  readonly #database: DatabaseSync;
  readonly #newest: StatementSync;
  readonly #stamp: StatementSync;
  readonly #forgetVersion: StatementSync;
  readonly #forgetStamps: StatementSync;

  constructor(database: DatabaseSync) {
    database.exec(MARKS_SCHEMA);
    this.#database = database;
    this.#newest = database.prepare('INSERT OR REPLACE INTO newest VALUES (?, ?, ?)');
    this.#stamp = database.prepare('INSERT OR REPLACE INTO stamp VALUES (?, ?, ?)');
    this.#forgetVersion = database.prepare('DELETE FROM newest WHERE stream = ? AND image = ?');
    this.#forgetStamps = database.prepare('DELETE FROM stamp WHERE stream = ?');
  }

  read(): StreamMarks {
    const newest = this.#database.prepare('SELECT stream, image, version FROM newest').all();
    const stamps = this.#database.prepare('SELECT stream, place, updated FROM stamp').all();
    return {
      newest: newest.map(({ stream, image, version }) => ({
        stream: String(stream),
        image: String(image),
        version: String(version),
      })),
      stamps: stamps.map(({ stream, place, updated }) => ({
        stream: String(stream),
        place: String(place),
        updated: Number(updated),
      })),
    };
  }

  /** Inside a transaction. */
  write({ newest = [], stamps = [], forgotten = [] }: Pick<ImageChanges, 'newest' | 'stamps' | 'forgotten'>): void {
    for (const { stream, image, version } of newest) this.#newest.run(stream, image, version);
    for (const { stream, place, updated } of stamps) this.#stamp.run(stream, place, updated);
    for (const { stream, image } of forgotten) {
      this.#forgetVersion.run(stream, image);
      this.#forgetStamps.run(stream);
    }
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
