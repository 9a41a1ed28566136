import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Some three million records; more is no file of zones. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * The octets of a master file, one character each. Throws for what can't be read, and for what is no plain file: a pipe or a
 * device would keep the reader waiting, or never end.
 */
export function readZoneFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new Error(found.isDirectory() ? 'a directory' : 'no plain file');
    if (found.size > MOST_BYTES) throw new Error(`one of ${found.size} bytes, more than ${MOST_BYTES}`);
    return readFileSync(fd, 'latin1');
  } finally {
    closeSync(fd);
  }
}
