import { HEADER } from './query.ts';

/** Octets of the length in front of each message on a stream (RFC 1035 §4.2.2). */
export const FRAME = 2;
/** What a length of two octets can say. */
export const MAX_MESSAGE = 65_535;

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream into messages, however it arrives. A message that lies in one piece is handed over where it lies; of one
 * that doesn't, only what has come is kept, so that a length without its message costs nothing.
 */
export class MessageFrames {
  #kept = NOTHING;
  #length = 0;
  /** What came and was not looked at yet. */
  #rest = NOTHING;

  /** Bytes kept: of a message that is not whole, and of those that nobody wanted yet. */
  get held(): number {
    return this.#length + this.#rest.length;
  }

  get hasRest(): boolean {
    return this.#rest.length > 0;
  }

  /**
   * Calls `take` with each message that is whole, valid only inside; ends early, for good, when that returns false. False
   * also for a length that is no message's: what follows can't be told apart. As soon as `isEnough` the rest is kept for the
   * next call, which may bring nothing more.
   */
  push(arrived: Buffer, take: (message: Buffer) => boolean, isEnough: () => boolean = never): boolean {
    const bytes = this.hasRest ? Buffer.concat([this.#rest, arrived]) : arrived;
    this.#rest = NOTHING;
    let at = 0;
    while (at < bytes.length) {
      if (isEnough()) return this.#keepRest(bytes.subarray(at));
      const message = this.#length > 0 ? undefined : wholeMessage(bytes, at);
      if (message) {
        at += FRAME + message.length;
        if (!take(message)) return false;
        continue;
      }
      at += this.#keep(bytes.subarray(at, at + this.#missing()));
      if (this.#length >= FRAME && this.#kept.readUInt16BE(0) < HEADER) return false;
      if (this.#missing() === 0 && !take(this.#release())) return false;
    }
    return true;
  }

  /** Octets until the length is known, then until the message is whole. */
  #missing(): number {
    return this.#length < FRAME ? FRAME - this.#length : FRAME + this.#kept.readUInt16BE(0) - this.#length;
  }

  #keepRest(bytes: Buffer): true {
    this.#rest = Buffer.alloc(bytes.length);
    bytes.copy(this.#rest);
    return true;
  }

  #keep(bytes: Buffer): number {
    const size = this.#length + bytes.length;
    if (size > this.#kept.length) this.#grow(Math.max(size, 2 * this.#kept.length));
    bytes.copy(this.#kept, this.#length);
    this.#length = size;
    return bytes.length;
  }

  #grow(size: number): void {
    const larger = Buffer.alloc(size);
    this.#kept.copy(larger, 0, 0, this.#length);
    this.#kept = larger;
  }

  #release(): Buffer {
    const message = this.#kept.subarray(FRAME, this.#length);
    this.#kept = NOTHING;
    this.#length = 0;
    return message;
  }
}

function never(): false {
  return false;
}

/** The message at `at`; undefined when it is cut off, or no message by its length. */
function wholeMessage(bytes: Buffer, at: number): Buffer | undefined {
  if (at + FRAME > bytes.length) return undefined;
  const size = bytes.readUInt16BE(at);
  const end = at + FRAME + size;
  return size < HEADER || end > bytes.length ? undefined : bytes.subarray(at + FRAME, end);
}
