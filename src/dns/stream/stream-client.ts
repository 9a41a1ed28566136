import type { Ip4 } from '../../addr/ip4.ts';

/** Where a message by TCP came from, and how an answer that is not ready yet gets there. */
export interface StreamClient {
  readonly address: Ip4;
  readonly port: number;
  /** For how long the connection may be idle now, in milliseconds (RFC 7828 tells it to who asks). */
  readonly idleTimeout: number;
  /** A reply will come later, or never. The function takes it when it is there; it may change afterwards. */
  later(): (reply: Uint8Array) => void;
  /** Many messages will follow: a transfer. */
  open(): ReplySink;
}

/** Takes the messages of a transfer. */
export interface ReplySink {
  /** More than enough waits to be taken: `whenDrained` says when to go on. */
  readonly isFull: boolean;
  /** The connection is over: nothing more is taken. */
  readonly isClosed: boolean;
  /** Sends messages with their lengths in front; `framed` must not change any more. */
  hand(framed: Uint8Array): void;
  /** Calls `go` once, when what was handed over has been taken; also when the connection is over. */
  whenDrained(go: () => void): void;
  /** That was the last. */
  done(): void;
  /** The rest can't be had: the connection is closed, so that what came is not taken for the whole. */
  abort(): void;
}

/** What answers messages that came by TCP. */
export interface StreamDesk {
  /** Writes the reply into `into`, which takes the largest message, and returns its length; 0 for none, or none yet. */
  handle(message: Buffer, client: StreamClient, into: Buffer): number;
}
