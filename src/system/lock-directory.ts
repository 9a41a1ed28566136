import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { lastError, SystemCallError, type Libc } from './libc.ts';

const LOCK_EX_NB = 2 | 4;

/**
 * Makes `directory` this process's own until it ends, however it ends. False when another process has it. Throws what
 * the system says when it can't be told.
 */
export function lockDirectory(libc: Libc, directory: string): boolean {
  mkdirSync(directory, { recursive: true });
  const fd = openSync(join(directory, 'lock'), 'a', 0o600);
  if (libc.flock(fd, LOCK_EX_NB) === 0) return true;
  const code = lastError();
  closeSync(fd);
  if (code === 'EAGAIN') return false;
  throw new SystemCallError('flock', code);
}
