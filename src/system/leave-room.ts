import { statfsSync } from 'node:fs';

/** What a nearly full disk has left is for leases: whatever else is written explains, they promise. */
const BYTES_FOR_LEASES = 8 * 1024 * 1024;

/** Throws where a disk has little left. To be called before anything is written that is not a lease. */
export function leaveRoom(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free < BYTES_FOR_LEASES) throw new Error(`${directory} has ${free} bytes left: they are kept for leases`);
}
