import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { isDamage, openForReading, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { readStranded, SqliteZoneStore, ZoneFileError, type StrandedZone } from './zone-store.ts';

export interface OpenedZones {
  /** Absent: it can't be opened to be written now. */
  readonly store?: SqliteZoneStore;
  /** What could be read all the same; absent when that was nothing. */
  readonly stranded?: ReadonlyMap<NameKey, StrandedZone>;
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
    return error instanceof ZoneFileError || isDamage(error) ? replace(file, now, reason) : stranded(file, reason);
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

/** On a disk that was made read-only, names that came by updates are served on, and no serial goes back. */
function stranded(file: string, fault: string): OpenedZones {
  if (!existsSync(file)) return { fault };
  try {
    const database = openForReading(file, 'SELECT count(*) FROM zone');
    try {
      return { stranded: readStranded(database), fault };
    } finally {
      database.close();
    }
  } catch {
    return { fault };
  }
}
