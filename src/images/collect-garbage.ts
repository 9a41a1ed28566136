import { statSync } from 'node:fs';

import { shelvedFile } from '../plan/stored-image.ts';
import type { FileAge, FileShelf } from './file-shelf.ts';
import { rowKey, type ImageRow } from './image-row.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/**
 * A machine that was told of a version may fetch its files a while later: an initrd mounts its root after a minute. Whoever has
 * begun to fetch holds the file open, and loses nothing when its name goes.
 */
const GRACE = HOUR;
/** What began to come and was never finished. */
const STALE_PART = 7 * DAY;
/** What a kill left of `images add` or of unpacking: whoever still writes to it has just written. */
const STALE_LEFTOVER = DAY;
/** Evidence of what a disk did, and what nobody accounted for: long enough for an operator to come back from holidays. */
const QUARANTINE = 30 * DAY;

type ShelvedFile = ReturnType<FileShelf['list']>[number];

export interface Garbage {
  /** Versions that nobody is told of any more. */
  readonly rows: readonly ImageRow[];
  readonly files: readonly ShelvedFile[];
  /** Of the same kind, but that no version ever had, as far as the index knows. */
  readonly strays: readonly ShelvedFile[];
  readonly parts: readonly string[];
  /** Of what was not finished, and of what lies in quarantine, what is too old. */
  readonly leftovers: readonly FileAge[];
  /** All that is here then is of some version. */
  readonly isAllKnown: boolean;
}

export interface GarbageQuestion {
  readonly rows: readonly ImageRow[];
  readonly shelf: FileShelf;
  /** Files that the Plan in force names, by their path on disk. */
  readonly named: ReadonlySet<string>;
  /** Unix milliseconds. */
  readonly now: number;
  /** The index may not know whose the files are: none goes that is whole, and no version. */
  readonly isHeld: boolean;
}

/**
 * What may go: nothing that the Plan names, that a published version has, that is coming, that anyone was told of in the last
 * hour, or that came in the last hour: it may be of `images add`, which has its version in the index only in the end.
 */
export function findGarbage({ rows, shelf, named, now, isHeld }: GarbageQuestion): Garbage {
  const isNamed = (sha256: string): boolean => named.has(shelvedFile(shelf.whole, sha256));
  const isOver = ({ retiredAt, files }: ImageRow): boolean =>
    retiredAt !== undefined && now - retiredAt >= GRACE && !files.some(({ sha256 }) => isNamed(sha256));
  const gone = isHeld ? [] : rows.filter(isOver);
  const goneKeys = new Set(gone.map(rowKey));
  const used = new Set(rows.filter((row) => !goneKeys.has(rowKey(row))).flatMap(sumsOf));
  const known = new Set(rows.flatMap(sumsOf));
  const here = shelf.list();
  const free = isHeld
    ? []
    : here.filter(
        ({ sha256, cameAt }) => !used.has(sha256) && !isNamed(sha256) && !shelf.isHeld(sha256) && now - cameAt >= GRACE,
      );
  const strays = free.filter(({ sha256 }) => !known.has(sha256));
  return {
    rows: gone,
    files: free.filter(({ sha256 }) => known.has(sha256)),
    strays,
    parts: shelf
      .parts()
      .filter((sha256) => !shelf.isHeld(sha256) && now - touchedAt(shelf.partOf(sha256)) >= STALE_PART),
    leftovers: [
      ...shelf.leftovers().filter(({ at }) => now - at >= STALE_LEFTOVER),
      ...shelf.quarantined().filter(({ at }) => now - at >= QUARANTINE),
    ],
    isAllKnown: here.filter(({ sha256 }) => !known.has(sha256)).length === strays.length,
  };
}

function sumsOf({ files }: ImageRow): string[] {
  return files.map(({ sha256 }) => sha256);
}

function touchedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
