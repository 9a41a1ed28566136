const KIB = 1024;
const MIB = 1024 * KIB;

/** What sending costs and who gets how much of it, in one place. Bytes and milliseconds. */
export interface SendLimits {
  /** A body up to this is read at once and leaves with its header; nothing stays open. */
  readonly inline: number;
  /** What one transfer may send before the next one's turn. */
  readonly turn: number;
  /** What all may send before Node sees to its other events. */
  readonly tick: number;
  /** What goes through Node's own stream where `sendfile` does the rest: its callback tells that the socket takes more. */
  readonly chunk: number;
  /** The same where `sendfile` can't be used. A client that stops reading holds one of these. */
  readonly readChunk: number;
  /** What is read ahead from a cold disk when a large transfer begins. */
  readonly readAhead: number;

  /** A body from this size waits for a place; smaller ones, as scripts and loaders are, never do. */
  readonly large: number;
  /** So many large transfers go at full speed; 32 at 1 Gbit/s each fill any link a rack has. */
  readonly places: number;
  /** And so many of one client: firmware and loaders fetch one file after the other, installers a few at a time. */
  readonly placesOfClient: number;
  /** Who waits gets this at once: more than a client that does not read takes into its buffers, so that we see whether it reads. */
  readonly first: number;
  /** And then this much every `trickleEvery`, as firmware gives up on a silent server (EDK II: 5 s). */
  readonly trickle: number;
  readonly trickleEvery: number;
  /** How often it is looked at how everyone fares. */
  readonly review: number;
  /** Bytes a second: who takes less is slow by itself, holds nobody up, and so need have no place. */
  readonly slow: number;

  /** A client that took less than `stallBytes` of what was there for it in `stallWindow` is hung up on. */
  readonly stallWindow: number;
  readonly stallBytes: number;
}

export const SEND_LIMITS: SendLimits = {
  inline: 16 * KIB,
  turn: 8 * MIB,
  tick: 16 * MIB,
  chunk: 16 * KIB,
  readChunk: 64 * KIB,
  readAhead: 4 * MIB,
  large: MIB,
  places: 32,
  placesOfClient: 8,
  first: 512 * KIB,
  trickle: 4 * KIB,
  trickleEvery: 1000,
  review: 50,
  slow: MIB,
  // iPXE on a lossy link has been seen to stall for a minute
  stallWindow: 120_000,
  stallBytes: 64 * KIB,
};
