import { statSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { StoredFile } from '../plan/stored-image.ts';
import { inTransaction, isDamage } from '../system/database-file.ts';
import { rowKey, type ImageRow, type SourceRow } from './image-row.ts';

/** An index that was begun anew beside files that are here: whose they are, it does not know. */
export interface IndexGap {
  /** Unix milliseconds. */
  readonly since: number;
  readonly reason: string;
}

/** What is known of images: published and retired versions, and how each source went. */
export interface ImageMemory {
  readonly images: readonly ImageRow[];
  readonly sources: readonly SourceRow[];
  /** Until all that is here is accounted for again. */
  readonly gap?: IndexGap;
  /** The file is damaged: this is what could be read of it. */
  readonly isDamaged?: boolean;
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
  /** There is no gap any more. */
  readonly closesGap?: boolean;
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
/** Came later; a rackboot that does not know of it lets it be. */
const GAP_SCHEMA = 'CREATE TABLE IF NOT EXISTS gap (since INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;';

/** So did these. */
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
  readonly #version: StatementSync;
  readonly #marks: MarkTables;
  readonly #file: string;
  readonly #inode: number | undefined;
  #written = 0;

  /** Opens or creates `file`; `gap`: of one that it creates. Throws, leaving it as it is, when it is not a sound file of this version. */
  constructor(file: string, gap?: IndexGap) {
    this.#file = file;
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file, gap);
      this.#inode = inodeOf(file);
      const found = this.#check();
      if (found !== 'ok') throw new ImageIndexError(`expected a sound index of images, found: ${found}`);
      this.#upsert = this.#database.prepare('INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      this.#delete = this.#database.prepare('DELETE FROM image WHERE key = ?');
      this.#source = this.#database.prepare('INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?)');
      this.#version = this.#database.prepare('PRAGMA data_version');
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

  /** Whether it is still what was opened: the same file, and sound. Throws what the disk says. */
  isSound(): boolean {
    try {
      return inodeOf(this.#file) === this.#inode && this.#check() === 'ok';
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  /** Tells `ImportLedger` whether what it read still holds: our own writes it knows of. */
  revision(): { readonly own: number; readonly others: number } {
    return { own: this.#written, others: Number(this.#version.get()?.['data_version']) };
  }

  write({ set = [], gone = [], sources = [], closesGap = false, ...marks }: ImageChanges): void {
    inTransaction(this.#database, 'BEGIN IMMEDIATE', () => {
      for (const row of gone) this.#delete.run(rowKey(row));
      for (const row of set) this.#upsert.run(...columnsOf(row));
      for (const { name, triedAt, goodAt = null, troubles } of sources)
        this.#source.run(name, triedAt, goodAt, JSON.stringify(troubles));
      this.#marks.write(marks);
      if (closesGap) this.#database.exec('DELETE FROM gap');
    });
    if (set.length + gone.length > 0) this.#written++;
  }

  close(): void {
    this.#database.close();
  }

  /** No log beside it: it is written seldom, and the compiler of Plans and commands read it without leaving anything behind. */
  #migrate(file: string, gap: IndexGap | undefined): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== SCHEMA_VERSION) {
      throw new ImageIndexError(`${file}: expected an index of version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;');
    if (version === 0) this.#create(gap);
    this.#database.exec(GAP_SCHEMA);
  }

  /** An index without its gap would be one that knows of all that is here. */
  #create(gap: IndexGap | undefined): void {
    this.#database.exec(`BEGIN; ${SCHEMA} ${GAP_SCHEMA}`);
    if (gap) this.#database.prepare('INSERT INTO gap VALUES (?, ?)').run(Math.floor(gap.since), gap.reason);
    this.#database.exec('COMMIT');
  }

  #check(): string {
    return String(this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
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

/** Undefined where there is none. */
function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

export function readMemory(database: DatabaseSync): ImageMemory {
  const gap = readGap(database);
  return {
    images: database.prepare(SELECT_IMAGES).all().flatMap(readImageRow),
    sources: database.prepare('SELECT name, tried, good, troubles FROM source').all().flatMap(readSourceRow),
    ...(gap && { gap }),
  };
}

function readGap(database: DatabaseSync): IndexGap | undefined {
  const isKnown = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'gap'").get();
  const row = isKnown && database.prepare('SELECT since, reason FROM gap').get();
  return row && { since: Number(row['since']), reason: String(row['reason']) };
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
    const files: unknown = JSON.parse(String(columns['files']));
    if (!Array.isArray(files) || !files.every(isStoredFile)) return [];
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

function isStoredFile(value: unknown): value is StoredFile {
  if (typeof value !== 'object' || value === null) return false;
  const { name, ftype, sha256, size } = value as Record<string, unknown>;
  const isText = [name, ftype, sha256].every((word) => typeof word === 'string');
  return isText && /^[0-9a-f]{64}$/.test(String(sha256)) && typeof size === 'number';
}

function readSourceRow({ name, tried, good, troubles }: Record<string, SQLOutputValue>): SourceRow[] {
  return [
    {
      name: String(name),
      triedAt: Number(tried),
      ...(typeof good === 'number' && { goodAt: good }),
      troubles: troublesIn(troubles),
    },
  ];
}

function troublesIn(column: SQLOutputValue | undefined): string[] {
  try {
    const lines: unknown = JSON.parse(String(column));
    return Array.isArray(lines) ? lines.map(String) : [];
  } catch {
    return [];
  }
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
