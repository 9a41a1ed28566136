import type { Ip4 } from '../addr/ip4.ts';

/**
 * A connection of bytes, both ways. None of its calls blocks or throws. What is written while one of its handler's
 * functions runs leaves when that returns, in one system call; else at once.
 */
export interface Stream {
  /** Bytes that were written and that the kernel has not taken yet. */
  readonly buffered: number;
  /** Writes a copy of `bytes`. */
  write(bytes: Uint8Array): void;
  /** Writes `bytes` themselves, which must not change any more: for large ones, and those that several streams get. */
  hand(bytes: Uint8Array): void;
  /** Reads no more, so that the peer's window fills up. */
  pause(): void;
  resume(): void;
  /** Says that nothing more will be written, when all that was has left. What the peer sends is still heard. */
  end(): void;
  /** Ends it here. What is buffered is lost. The handler hears nothing more. */
  close(): void;
  /** As `close`, and the peer is told by a reset: it waits for nothing, and nothing of it lingers here. */
  reset(): void;
}

/** Hears what becomes of a stream. */
export interface StreamHandler {
  /** A stream that was connected from here is. */
  connected?(stream: Stream): void;
  /** `bytes` is a view of the thread's buffer, valid only inside. */
  received(bytes: Buffer, stream: Stream): void;
  /** The peer will send nothing more. It may still read. */
  ended(stream: Stream): void;
  /** What was written while it was handled has left, or some of what was buffered: `buffered` tells what waits now. */
  settled?(stream: Stream): void;
  /** All that was buffered has been taken. */
  drained(stream: Stream): void;
  /** It is over: both sides have ended, or by the `error` (ECONNRESET, ECONNREFUSED, ETIMEDOUT, …). The last that is heard. */
  closed(stream: Stream, error?: string): void;
}

/** Where a stream is to lead. */
export interface TcpDestination {
  readonly address: Ip4;
  readonly port: number;
  /** Which of our addresses it is to come from; the kernel chooses when it is absent. */
  readonly source?: Ip4;
}

/** Opens connections. A connection that can't even be tried is told of as any other: by `closed`, later. */
export interface StreamConnector {
  connect(to: TcpDestination, handler: StreamHandler): Stream;
  /** To a socket in the file system. */
  connectUnix(path: string, handler: StreamHandler): Stream;
}

/** A connection that came in, as yet nobody's. */
export interface Accepted {
  readonly fd: number;
  readonly address: Ip4;
  readonly port: number;
}

/** Takes connections in. */
export interface StreamAcceptor {
  /** The next connection that waits at a listening socket, or why there is none: EAGAIN, EMFILE, … */
  accept(listener: number): Accepted | string;
  /** A stream on what was accepted. */
  adopt(accepted: Accepted, handler: StreamHandler): Stream;
  /** Hangs up on what was accepted. */
  refuse(accepted: Accepted): void;
}
