import { statSync } from 'node:fs';

import { shelvedFile } from '../plan/stored-image.ts';
import type { FileShelf } from './file-shelf.ts';
import { rowKey, type ImageRow } from './image-row.ts';

/**
 * A machine that was told of a version may fetch its files a while later: an initrd mounts its root after a minute. Whoever has
 * begun to fetch holds the file open, and loses nothing when its name goes.
 */
const GRACE_MILLISECONDS = 3_600_000;
/** What began to come and was never finished. */
const STALE_PART_MILLISECONDS = 7 * 86_400_000;

export interface Garbage {
  /** Versions that nobody is told of any more. */
  readonly rows: readonly ImageRow[];
  readonly files: readonly { readonly sha256: string; readonly size: number }[];
  readonly parts: readonly string[];
}

export interface GarbageQuestion {
  readonly rows: readonly ImageRow[];
  readonly shelf: FileShelf;
  /** Files that the Plan in force names, by their path on disk. */
  readonly named: ReadonlySet<string>;
  /** Unix milliseconds. */
  readonly now: number;
}

/** What may go: nothing that the Plan names, that a published version has, or that anyone was told of in the last hour. */
export function findGarbage({ rows, shelf, named, now }: GarbageQuestion): Garbage {
  const isNamed = (sha256: string): boolean => named.has(shelvedFile(shelf.whole, sha256));
  const isOver = ({ retiredAt, files }: ImageRow): boolean =>
    retiredAt !== undefined && now - retiredAt >= GRACE_MILLISECONDS && !files.some(({ sha256 }) => isNamed(sha256));
  const gone = rows.filter(isOver);
  const goneKeys = new Set(gone.map(rowKey));
  const used = new Set(
    rows.filter((row) => !goneKeys.has(rowKey(row))).flatMap(({ files }) => files.map(({ sha256 }) => sha256)),
  );
  const files = shelf.list().filter(
    // A young one may be of an import that runs, or of `images add`
    ({ sha256, cameAt }) => !used.has(sha256) && !isNamed(sha256) && (!isYoung(cameAt, now) || isOf(gone, sha256)),
  );
  const parts = shelf.parts().filter((sha256) => now - touchedAt(shelf.partOf(sha256)) >= STALE_PART_MILLISECONDS);
  return { rows: gone, files, parts };
}

function isYoung(cameAt: number, now: number): boolean {
  return now - cameAt < GRACE_MILLISECONDS;
}

function isOf(rows: readonly ImageRow[], sha256: string): boolean {
  return rows.some(({ files }) => files.some((file) => file.sha256 === sha256));
}

function touchedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
