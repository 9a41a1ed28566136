import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { isDamage, setDatabaseAside } from '../system/database-file.ts';
import { SqliteZoneStore, ZoneFileError } from './zone-store.ts';

export interface OpenedZones {
  /** Absent: the disk takes no writes now. */
  readonly store?: SqliteZoneStore;
  /** A damaged file was set aside. Updates that were in it are lost with it; serials go on from the clock. */
  readonly replaced?: { readonly reason: string; readonly setAside: string };
  /** Why there is no store. */
  readonly fault?: string;
}

/** Opens or creates the file of zones; never throws: zones are served and transferred from memory all the same. `now`: Unix milliseconds. */
export function openZoneStore(file: string, now: number): OpenedZones {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return { store: new SqliteZoneStore(file) };
  } catch (error) {
    const reason = messageOf(error);
    return error instanceof ZoneFileError || isDamage(error) ? replace(file, now, reason) : { fault: reason };
  }
}

function replace(file: string, now: number, reason: string): OpenedZones {
  try {
    const setAside = setDatabaseAside(file, now);
    return { store: new SqliteZoneStore(file), replaced: { reason, setAside } };
  } catch (error) {
    return { fault: `${reason}; ${messageOf(error)}` };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
