import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { NO_BOOT_STATES, type BootStates } from '../boot/boot-states.ts';
import { copyDatabase } from '../system/copy-database.ts';
import { readBoots, type BootMemory } from './boot-store.ts';
import { readDamagedBoots } from './read-damaged-boots.ts';

/**
 * The boot states of a file that a daemon may be writing to, without a touch; of a damaged one as a daemon would start with
 * it. Throws when it can't be read. `now`: Unix milliseconds.
 */
export function readBootsAside(file: string, now: number): BootStates {
  if (!statSync(file, { throwIfNoEntry: false })) return NO_BOOT_STATES;
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-boots-'));
  try {
    const copy = join(directory, 'boots.db');
    copyDatabase(file, copy);
    return statesOf(readCopy(copy, now));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readCopy(copy: string, now: number): BootMemory {
  try {
    const database = new DatabaseSync(copy);
    try {
      return readBoots(database);
    } finally {
      database.close();
    }
  } catch {
    return { rows: readDamagedBoots(copy), lostSince: now };
  }
}

function statesOf({ rows, lostSince }: BootMemory): BootStates {
  const states = new Map(rows.map(({ mac, entry, state }) => [`${mac} ${entry}`, state]));
  return { of: (mac, entry) => states.get(`${mac} ${entry}`), lostSince };
}
