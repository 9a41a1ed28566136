import { recordSchema } from '../../contract/rack-words.ts';
import { storable } from './storable.ts';

/** A record as it is kept. */
export interface KeptRecord {
  readonly number: number;
  /** By the rack's clock, Unix milliseconds. */
  readonly at: number;
  readonly kind: string;
  readonly mac?: string;
  readonly address?: string;
  /** The rest of it. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ReadRecords {
  readonly records: readonly KeptRecord[];
  /** So many were not as they should be: they are kept as far as that goes. */
  readonly mended: number;
}

/** What a record is that does not say what it is. */
const UNREADABLE = 'record.unreadable';

/**
 * Of a batch what is new: numbers beyond `kept`, each greater than that before it. A record that is not as it should be must not hold
 * up those behind it, so it is kept as far as that goes: without a number, or with one that was there, it has no place at all.
 */
export function readRecords(values: readonly unknown[], kept: number, sentAt: number): ReadRecords {
  const records: KeptRecord[] = [];
  let [last, mended, isAhead] = [kept, 0, false];
  for (const value of values) {
    const number = numberOf(value);
    // What was sent before comes ahead of what is new, and is no fault
    if (number !== undefined && number <= kept && !isAhead) continue;
    isAhead = true;
    if (number === undefined || number <= last) {
      mended++;
      continue;
    }
    last = number;
    const { record, isSound } = readRecord(value as object, number, sentAt);
    records.push(record);
    if (!isSound) mended++;
  }
  return { records, mended };
}

function readRecord(
  value: object,
  number: number,
  sentAt: number,
): { readonly record: KeptRecord; readonly isSound: boolean } {
  const rest = { ...value } as Record<string, unknown>;
  const take = <K extends 'at' | 'kind' | 'mac' | 'address'>(
    key: K,
  ): (typeof recordSchema)['_output'][K] | undefined => {
    const { data } = recordSchema.shape[key].safeParse(rest[key]);
    // What can't be read as what it should be stays, among all else it says
    if (data !== undefined) delete rest[key];
    return data as (typeof recordSchema)['_output'][K] | undefined;
  };
  const isSound = recordSchema.safeParse(value).success;
  const [at = sentAt, kind = UNREADABLE, mac, address] = [take('at'), take('kind'), take('mac'), take('address')];
  delete rest['number'];
  const record = {
    number,
    at,
    kind,
    ...(mac !== undefined && { mac }),
    ...(address !== undefined && { address }),
    body: storable(rest) as Record<string, unknown>,
  };
  return { record, isSound };
}

function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('number' in value)) return undefined;
  return recordSchema.shape.number.safeParse(value.number).data;
}
