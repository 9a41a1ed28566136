import { DatabaseSync } from 'node:sqlite';

import type { BootRow } from './boot-row.ts';
import { readBootRow, SELECT_BOOTS } from './boot-store.ts';

/** What can be read of a damaged file: from both ends up to the damage. `file` is not written to. */
export function readDamagedBoots(file: string): BootRow[] {
  const found = new Map<string, BootRow>();
  for (const order of ['ASC', 'DESC']) {
    try {
      const database = new DatabaseSync(file, { readOnly: true, defensive: false });
      try {
        // Lets SQLite open a file that is shorter than its first page says
        database.exec('PRAGMA writable_schema = ON');
        const select = database.prepare(`${SELECT_BOOTS} ORDER BY mac ${order}, entry ${order}`);
        for (const columns of select.iterate())
          for (const row of readBootRow(columns)) found.set(`${row.mac} ${row.entry}`, row);
      } finally {
        database.close();
      }
    } catch {
      // As far as it went
    }
  }
  return [...found.values()];
}
