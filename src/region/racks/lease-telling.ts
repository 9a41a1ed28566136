import type { KeptRecord } from './read-records.ts';

interface BoundLease {
  readonly mac: string;
  readonly name: string | null;
  /** Unix seconds; null: for good. */
  readonly expires: number | null;
}

/** What the records of a batch come to, for the leases that were known before and for those it names. */
export interface LeaseTelling {
  /** Of those before: all are no more. */
  readonly isAllGone: boolean;
  /** Of those before: the ones that no telling had come to are no more. */
  readonly dropsUntold: boolean;
  /** Of those before: a telling has begun that has not come to them yet. */
  readonly isUntold: boolean;
  readonly ended: readonly string[];
  /** By address. `told`: a telling that has begun since has not come to it when false. */
  readonly bound: readonly (BoundLease & { readonly address: string; readonly told: boolean })[];
}

/** Longer than any DNS name. */
const LONGEST_NAME = 255;
/** Seconds; what PostgreSQL has a date for goes on for longer. */
const LAST_DATE = 9e12;

/**
 * What many records say of leases, in their order, as one outcome: however often a batch begins a whole telling and ends it, each
 * lease is touched once.
 */
export function readTelling(records: readonly KeptRecord[]): LeaseTelling {
  let [isAllGone, dropsUntold, isUntold] = [false, false, false];
  /** Null: ended. What was bound before the last beginning is untold. */
  const named = new Map<string, { readonly lease: BoundLease; readonly telling: number } | null>();
  let telling = 0;
  for (const { kind, mac, address, body } of records) {
    if (kind === 'lease.all-begun') {
      telling++;
      isUntold = true;
    } else if (kind === 'lease.all-ended') {
      if (isUntold) isAllGone = true;
      else dropsUntold = true;
      for (const [each, row] of named) if (row !== null && row.telling < telling) named.set(each, null);
    } else if (kind === 'lease.ended' && address !== undefined) named.set(address, null);
    else if (kind === 'lease.bound' && address !== undefined && mac !== undefined) {
      named.set(address, { lease: { mac, name: nameOf(body['name']), expires: expiryOf(body['expires']) }, telling });
    }
  }
  const rows = [...named];
  return {
    isAllGone,
    dropsUntold,
    isUntold,
    ended: rows.flatMap(([address, row]) => (row === null ? [address] : [])),
    bound: rows.flatMap(([address, row]) =>
      row === null ? [] : [{ address, ...row.lease, told: row.telling === telling }],
    ),
  };
}

/** Cut, but never through a pair of surrogates: half of one is no text. */
function nameOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, LONGEST_NAME).toWellFormed() : null;
}

function expiryOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 && value < LAST_DATE ? value : null;
}
