import { closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';

/** A regular file, open for reading; whoever asked for it closes `fd`. */
export interface OpenedFile {
  readonly fd: number;
  /** Bytes. */
  readonly size: number;
  /** Unix time in milliseconds, with fraction. */
  readonly mtimeMs: number;
}

/** Why a file is not served: it is not there, or it is there and not for the asker. `refused` is a plain sentence. */
export interface RefusedFile {
  readonly refused: string;
  readonly because: 'missing' | 'forbidden';
}

/** O_NONBLOCK: opening a FIFO without a writer must not stop the thread. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

/**
 * Opens the regular file `absolute`, which must lie inside the directory `root` after all symbolic links are
 * followed. `root` equal to `absolute` means that this very file is allowed, wherever its links lead.
 * `instead` is opened where that file is not there.
 * Never throws. What is checked is the open descriptor, so a link swapped meanwhile changes nothing.
 */
export function openServedFile(root: string, absolute: string, instead?: string): OpenedFile | RefusedFile {
  const opened = openInside(root, absolute);
  const isAway = 'refused' in opened && opened.because === 'missing';
  return isAway && instead !== undefined ? openInside(root, instead) : opened;
}

function openInside(root: string, absolute: string): OpenedFile | RefusedFile {
  let fd: number;
  try {
    fd = openSync(absolute, OPEN_FLAGS);
  } catch (error) {
    return refusalOf(error);
  }
  const checked = check(fd, root, absolute);
  if ('refused' in checked) closeSync(fd);
  return checked;
}

function check(fd: number, root: string, absolute: string): OpenedFile | RefusedFile {
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { refused: 'not a regular file', because: 'forbidden' };
    if (root !== absolute && !isInside(root, fd)) {
      return { refused: 'the file lies outside the served directory', because: 'forbidden' };
    }
    return { fd, size: stat.size, mtimeMs: stat.mtimeMs };
  } catch (error) {
    return refusalOf(error);
  }
}

function isInside(root: string, fd: number): boolean {
  const realRoot = realpathSync(root);
  return readlinkSync(`/proc/self/fd/${fd}`).startsWith(realRoot === '/' ? '/' : `${realRoot}/`);
}

function refusalOf(error: unknown): RefusedFile {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  if (ABSENT.has(code)) return { refused: 'no such file', because: 'missing' };
  return { refused: `cannot be opened (${code})`, because: 'forbidden' };
}
