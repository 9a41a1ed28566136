import type { NameKey } from './name.ts';

/** One record as zones, transfers and updates hold it; its class is IN. */
export interface ResourceRecord {
  readonly owner: NameKey;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  /** RDATA, one character per byte; names in it uncompressed, spelled as they came. */
  readonly data: string;
}
