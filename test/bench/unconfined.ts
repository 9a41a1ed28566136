import { copyFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * A copy of the program for this run: AppArmor's profiles are tied to the path, and forbid the installed one to write
 * anywhere but in its own places.
 */
export function unconfined(program: string, directory: string): string {
  const copy = join(directory, basename(program));
  if (!existsSync(copy)) copyFileSync(program, copy);
  return copy;
}
