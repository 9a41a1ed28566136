import type { DnsClient } from '../dns-client.ts';

/** Who sent a message by TCP, and may be sent more than one. */
export interface StreamClient extends DnsClient {
  readonly idleTimeout: number;
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
}

/** What answers messages that came by TCP. */
export interface StreamDesk {
  /** Writes the reply into `into`, which takes the largest message, and returns its length; 0 for none, or none yet. */
  handle(message: Buffer, client: StreamClient, into: Buffer): number;
}
