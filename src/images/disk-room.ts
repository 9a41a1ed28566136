import { statfsSync } from 'node:fs';

import { DiskFullError } from './transfer-error.ts';

/** Leases and boot states are on the same disk, and must still be written: what images leave free, at most and as a share. */
const MOST_RESERVED = 128 * 2 ** 20;
const RESERVED_SHARE = 0.05;

/** What a disk tells of itself, as statfs(2) does. */
export interface DiskSize {
  readonly bavail: number;
  readonly blocks: number;
  readonly bsize: number;
}

/** The room on the disk of images. All who write at once take of one account: what one was promised is not there for the next. */
export class DiskRoom {
  readonly #place: string;
  readonly #measure: () => DiskSize;
  /** Promised, and not on the disk yet. */
  #promised = 0;

  /** `place`: a directory of the disk, and what messages call it. */
  constructor(place: string, measure: () => DiskSize = () => statfsSync(place)) {
    this.#place = place;
    this.#measure = measure;
  }

  /** Throws DiskFullError when there is no room for so many bytes more beside what must stay free, or what the disk says. */
  demand(bytes: number): void {
    const { bavail, blocks, bsize } = this.#measure();
    const reserved = Math.min(MOST_RESERVED, Math.floor(blocks * bsize * RESERVED_SHARE));
    const free = Math.max(0, bavail * bsize - reserved - this.#promised);
    if (bytes <= free) return;
    throw new DiskFullError(
      `${this.#place}: no room: ${megabytes(bytes)} needed, ${megabytes(free)} free besides the ${megabytes(reserved)} that leases keep`,
    );
  }

  /** What is taken with it is the holder's until it is written or given back. */
  claim(): RoomClaim {
    return new RoomClaim(
      (bytes) => this.demand(bytes),
      (bytes) => (this.#promised += bytes),
    );
  }
}

export class RoomClaim implements Disposable {
  readonly #demand: (bytes: number) => void;
  readonly #promise: (bytes: number) => void;
  #left = 0;

  constructor(demand: (bytes: number) => void, promise: (bytes: number) => void) {
    this.#demand = demand;
    this.#promise = promise;
  }

  /** Bytes that may be written without asking again. */
  get left(): number {
    return this.#left;
  }

  /** Throws as `demand` does. */
  take(bytes: number): void {
    this.#demand(bytes);
    this.#change(bytes);
  }

  /** They are on the disk, which counts them itself from now on. */
  wrote(bytes: number): void {
    this.#change(-Math.min(bytes, this.#left));
  }

  [Symbol.dispose](): void {
    this.#change(-this.#left);
  }

  #change(bytes: number): void {
    this.#left += bytes;
    this.#promise(bytes);
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
