/** Enough for the answers to what one receive brings, in most cases. */
const ROOM = 64 * 1024;

/** Gathers what one stream writes while it is handled, so that it leaves in one call. A thread handles one at a time. */
export class Outbox {
  readonly #bytes = Buffer.alloc(ROOM);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** False when there is no room for it. */
  add(bytes: Uint8Array): boolean {
    if (this.#length + bytes.length > ROOM) return false;
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return true;
  }

  /** All of it: a view, good until the next `add`. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  clear(): void {
    this.#length = 0;
  }
}
