import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces `file` whole: after a power cut it holds the old content or the new one. `mode`: who may read it; by default only its
 * owner. Throws what the system says.
 */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  const fd = openSync(temporary, 'w', mode);
  try {
    writeFileSync(fd, content);
    // Whatever the umask, or the mode of one that was left behind
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
  syncDirectory(dirname(file));
}

/** Only then is the new name on disk. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
