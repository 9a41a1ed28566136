import type { Libc } from './libc.ts';

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CLOSE = 7;
/** Up to `tcpi_bytes_received` of struct tcp_info (linux/tcp.h); `tcpi_bytes_acked` is at 120, since Linux 4.1. */
const INFO_SIZE = 136;
const BYTES_ACKED_AT = 120;

/** How far the peer of a TCP socket is: bytes it acknowledged since it connected, and whether the connection is over. */
export interface TcpProgress {
  readonly acknowledged: number;
  readonly isOver: boolean;
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
