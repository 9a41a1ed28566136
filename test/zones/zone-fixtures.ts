import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ZONES = join(import.meta.dirname, '../fixtures/zones');

/** Zone files of lab.example: `good-*` load, `bad-*` do not. */
export const ZONE_FILES = readdirSync(ZONES).filter((file) => file.endsWith('.zone'));

export function readLatin1(path: string): string {
  return readFileSync(path, 'latin1');
}
