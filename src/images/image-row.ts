import type { StoredImage } from '../plan/stored-image.ts';
import { imageKey } from './streams/select-versions.ts';

/** What an operator gave by hand, and not a source. */
export const BY_HAND = 'by hand';

/** A version as it is kept in the index. Times are Unix milliseconds. */
export interface ImageRow extends StoredImage {
  /** The source it came from, by its name; BY_HAND for what an operator added. */
  readonly source: string;
  readonly title: string;
  /** The product of the stream; '' by hand. */
  readonly product: string;
  /** Of a loader: uefi, pxe, open-firmware. */
  readonly loaderType?: string;
  readonly since: number;
  /** Since then no machine is told of it any more; its files stay for those that were told before. */
  readonly retiredAt?: number;
}

/** How the last import of a source went. */
export interface SourceRow {
  readonly name: string;
  readonly triedAt: number;
  /** When an import of it last went well. */
  readonly goodAt?: number;
  /** What it gave that is not here, or was refused, and why; a line each. */
  readonly troubles: readonly string[];
}

/** One version of one image. */
export function rowKey(row: StoredImage): string {
  return `${imageKey(row)} ${row.version}`;
}

/** What is to be told machines. */
export function isPublished({ retiredAt }: ImageRow): boolean {
  return retiredAt === undefined;
}

export function sizeOf({ files }: StoredImage): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
