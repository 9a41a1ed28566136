import type { Libc } from './libc.ts';
import { IPPROTO_TCP } from './socket-numbers.ts';

const TCP_INFO = 11;
const TCP_CLOSE = 7;
/** Up to `tcpi_bytes_received` of struct tcp_info (linux/tcp.h); `tcpi_bytes_acked` is at 120, since Linux 4.1. */
const INFO_SIZE = 136;
const BYTES_ACKED_AT = 120;

/** linux/sockios.h */
const SIOCOUTQ = 0x5411;
/** Two looks between which nothing was acknowledged are wanted; a fast peer may need some. */
const MOST_LOOKS = 8;

/** How far the peer of a TCP socket is: bytes it acknowledged since it connected, and whether the connection is over. */
export interface TcpProgress {
  readonly acknowledged: number;
  readonly isOver: boolean;
}

/** Bytes that were written to a socket since it connected, by whatever call; undefined where the kernel does not say. */
export function readTcpWritten(libc: Libc, fd: number): number | undefined {
  let before = readTcpProgress(libc, fd)?.acknowledged;
  for (let looks = 0; ; looks++) {
    const queued = readTcpUnacknowledged(libc, fd);
    if (before === undefined || queued === undefined) return undefined;
    const after = readTcpProgress(libc, fd)?.acknowledged;
    // Of one that goes on acknowledging this is a little less than it is
    if (after === before || looks === MOST_LOOKS) return before + queued;
    before = after;
  }
}

/** Bytes that were written and that the peer has not acknowledged; undefined where the kernel does not say. */
export function readTcpUnacknowledged(libc: Libc, fd: number): number | undefined {
  const queued = Buffer.alloc(4);
  return libc.ioctl(fd, SIOCOUTQ, queued) < 0 ? undefined : queued.readInt32LE();
}

/** Undefined where the kernel does not say. */
export function readTcpProgress(libc: Libc, fd: number): TcpProgress | undefined {
  const info = Buffer.alloc(INFO_SIZE);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(INFO_SIZE);
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length) < 0) return undefined;
  if (length.readUInt32LE() < BYTES_ACKED_AT + 8) return undefined;
  return { acknowledged: Number(info.readBigUInt64LE(BYTES_ACKED_AT)), isOver: info[0] === TCP_CLOSE };
}
