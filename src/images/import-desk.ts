import type { Clock } from '../system/clock.ts';
import type { FileShelf } from './file-shelf.ts';
import type { ImageRow } from './image-row.ts';
import type { LedgerStore } from './import-ledger.ts';
import type { Pace } from './pace.ts';
import type { ProgressTracker } from './progress.ts';
import type { MarkStore } from './replay-guard.ts';
import type { StreamPlace } from './streams/read-stream.ts';
import type { Selection } from './streams/select-versions.ts';

/** A source as an import needs it. */
export interface ImportSource {
  readonly name: string;
  /** Opened when its turn comes: the keyring may not be there. */
  readonly open: (signal: AbortSignal) => Promise<StreamPlace>;
  readonly selections: readonly Selection[];
  /** Versions of each image. */
  readonly keep: number;
}

export interface ImportDesk {
  readonly store: LedgerStore & MarkStore;
  readonly shelf: FileShelf;
  readonly clock: Clock;
  /** Rejects with AbortError when the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly pace: Pace;
  readonly progress: ProgressTracker;
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** A version is there for machines, instead of these. */
  readonly onPublished: (row: ImageRow, retired: readonly ImageRow[]) => void;
  /** Machines are told of these no more. */
  readonly onRetired: (rows: readonly ImageRow[]) => void;
  readonly onTrouble: (source: string, reason: string) => void;
  /** Whether a boot entry or a loader of the Plan in force is made of it. */
  readonly isUsed: (row: ImageRow) => boolean;
}
