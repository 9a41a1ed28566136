import type { Socket } from 'node:net';

import { addressOf, lastError, type Libc } from '../system/libc.ts';
import { readTcpUnacknowledged } from '../system/tcp-progress.ts';
import { descriptorOf } from './descriptor-of.ts';

/**
 * What became of it: the bytes that the kernel took (0: the file has no more), or
 * `full` the socket takes no more for now; `gone` the client is; `unable` this way is not open for this file or
 * connection; or why the file can't be read.
 */
export type Sent = number | 'full' | 'gone' | 'unable' | { readonly fault: string };

/** Moves bytes of a file to a connection without carrying them through this process. */
export interface FileSender {
  /** Never waits for the client. The caller sees to it that Node has nothing of its own left to write. */
  send(socket: Socket, file: number, offset: number, most: number): Sent;
  /** From now on the kernel sends full packets only, until `letGo` or 200 ms passed; false where that can't be. */
  hold(socket: Socket): boolean;
  letGo(socket: Socket): void;
  /** Bytes that the kernel took and the client has not acknowledged; 0 where that can't be known. */
  unacknowledged(socket: Socket): number;
  /** Tells the kernel what will be read soon. */
  readAhead(file: number, offset: number, bytes: number): void;
}

const IPPROTO_TCP = 6;
const TCP_CORK = 3;
const ON = Buffer.from([1, 0, 0, 0]);
const OFF = Buffer.alloc(4);
const POSIX_FADV_SEQUENTIAL = 2;
const POSIX_FADV_WILLNEED = 3;
/** Only what is in memory already. */
const RWF_NOWAIT = 8;
const WOULD_BLOCK = new Set(['EAGAIN', 'EINTR']);
const CLIENT_IS_GONE = new Set([
  'EPIPE',
  'ECONNRESET',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EBADF',
]);
/** The file's file system has no page cache to send from. */
const NOT_THIS_WAY = new Set(['EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'ESPIPE', 'EPERM']);

/** By sendfile(2). */
export class SendfileSender implements FileSender {
  readonly #libc: Libc;
  readonly #offset = Buffer.alloc(8);
  readonly #probe = Buffer.alloc(128);
  /** struct iovec of one byte. */
  readonly #vector = Buffer.alloc(16);

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#vector.writeBigUInt64LE(addressOf(this.#probe), 0);
    this.#vector.writeBigUInt64LE(1n, 8);
  }

  send(socket: Socket, file: number, offset: number, most: number): Sent {
    // Bytes written past TLS would reach the client in the clear, in the midst of its records.
    const descriptor = isEncrypted(socket) ? undefined : descriptorOf(socket);
    if (descriptor === undefined) return socket.destroyed ? 'gone' : 'unable';
    this.#offset.writeBigInt64LE(BigInt(offset));
    const sent = this.#libc.sendfile(descriptor, file, this.#offset, most);
    return sent >= 0 ? sent : meaningOf(lastError());
  }

  hold(socket: Socket): boolean {
    return !isEncrypted(socket) && this.#cork(socket, ON);
  }

  letGo(socket: Socket): void {
    this.#cork(socket, OFF);
  }

  unacknowledged(socket: Socket): number {
    const descriptor = descriptorOf(socket);
    return (descriptor === undefined ? undefined : readTcpUnacknowledged(this.#libc, descriptor)) ?? 0;
  }

  /** Of a file in memory, as that of a storm is, the advice alone would cost as much as the rest of its request. */
  readAhead(file: number, offset: number, bytes: number): void {
    if (this.#libc.preadv2(file, this.#vector, 1, offset + bytes - 1, RWF_NOWAIT) >= 0) return;
    this.#libc.posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    this.#libc.posix_fadvise(file, offset, bytes, POSIX_FADV_WILLNEED);
  }

  #cork(socket: Socket, value: Uint8Array): boolean {
    const descriptor = descriptorOf(socket);
    if (descriptor === undefined) return false;
    return this.#libc.setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, value, value.length) === 0;
  }
}

/** For what has no descriptor of its own to send to: everything is read and written by Node. */
export const READ_ONLY_SENDER: FileSender = {
  send: (socket) => (socket.destroyed ? 'gone' : 'unable'),
  hold: () => false,
  letGo: () => undefined,
  unacknowledged: () => 0,
  readAhead: () => undefined,
};

function meaningOf(code: string): Sent {
  if (WOULD_BLOCK.has(code)) return 'full';
  if (CLIENT_IS_GONE.has(code)) return 'gone';
  return NOT_THIS_WAY.has(code) ? 'unable' : { fault: `the file can't be read (${code})` };
}

function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket;
}
