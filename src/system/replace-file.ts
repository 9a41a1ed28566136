import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Whose a file is to be. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces `file` whole: after a power cut it holds the old content or the new one. `mode`: who may read it; by default only its
 * owner, who is `owner` where we may give it away. Throws what the system says.
 */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o600, owner?: Owner): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  // One that was left behind may be another's, or a link to somewhere else
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx', mode);
  try {
    writeFileSync(fd, content);
    // Whatever the umask
    fchmodSync(fd, mode);
    if (owner) giveTo(fd, owner);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
  syncDirectory(dirname(file));
}

function giveTo(fd: number, { uid, gid }: Owner): void {
  const now = fstatSync(fd);
  if (now.uid === uid && now.gid === gid) return;
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    // Only root gives files away
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
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
