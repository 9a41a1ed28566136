import { arch, constants, endianness, platform } from 'node:os';

import koffi from 'koffi';

/**
 * The system calls Node does not offer, bound once per thread. Every call blocks its thread: made only where
 * that is meant (a service thread in `epoll_wait`) or where the call returns at once.
 * Pointers are buffers, or addresses as BigInt inside the structures we lay out ourselves.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Uint8Array, length: Uint8Array, flags: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  shutdown(fd: number, how: number): number;
  recv(fd: number, into: Uint8Array, size: number, flags: number): number;
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  sendto(fd: number, bytes: Uint8Array, size: number, flags: number, address: Uint8Array, length: number): number;
  recvmmsg(fd: number, headers: Uint8Array, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, headers: Uint8Array, count: number, flags: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  epoll_wait(epoll: number, events: Uint8Array, count: number, milliseconds: number): number;
  poll(descriptors: Uint8Array, count: number, milliseconds: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, into: Uint8Array, size: number): number;
  write(fd: number, bytes: Uint8Array, size: number): number;
  sendfile(to: number, from: number, offset: Uint8Array, size: number): number;
  preadv2(fd: number, vectors: Uint8Array, count: number, offset: number, flags: number): number;
  posix_fadvise(fd: number, offset: number, length: number, advice: number): number;
  dup(fd: number): number;
  flock(fd: number, operation: number): number;
  close(fd: number): number;
  if_nametoindex(name: string): number;
}

const SIGNATURES: Readonly<Record<keyof Libc, string>> = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, void *, uint)',
  listen: 'int listen(int, int)',
  accept4: 'int accept4(int, void *, void *, int)',
  connect: 'int connect(int, void *, uint)',
  shutdown: 'int shutdown(int, int)',
  recv: 'intptr_t recv(int, void *, size_t, int)',
  send: 'intptr_t send(int, void *, size_t, int)',
  setsockopt: 'int setsockopt(int, int, int, void *, uint)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  ioctl: 'int ioctl(int, ulong, void *)',
  getsockname: 'int getsockname(int, void *, void *)',
  sendto: 'intptr_t sendto(int, void *, size_t, int, void *, uint)',
  recvmmsg: 'int recvmmsg(int, void *, uint, int, void *)',
  sendmmsg: 'int sendmmsg(int, void *, uint, int)',
  epoll_create1: 'int epoll_create1(int)',
  epoll_ctl: 'int epoll_ctl(int, int, int, void *)',
  epoll_wait: 'int epoll_wait(int, void *, int, int)',
  poll: 'int poll(void *, ulong, int)',
  eventfd: 'int eventfd(uint, int)',
  read: 'intptr_t read(int, void *, size_t)',
  write: 'intptr_t write(int, void *, size_t)',
  sendfile: 'intptr_t sendfile(int, int, void *, size_t)',
  preadv2: 'intptr_t preadv2(int, void *, int, int64_t, int)',
  posix_fadvise: 'int posix_fadvise(int, int64_t, int64_t, int)',
  dup: 'int dup(int)',
  flock: 'int flock(int, int)',
  close: 'int close(int)',
  if_nametoindex: 'uint if_nametoindex(const char *)',
};

/** Binds the C library. Throws where the layouts of `system/` do not hold: they are those of 64-bit little-endian Linux. */
export function loadLibc(): Libc {
  if (platform() !== 'linux' || endianness() !== 'LE' || !['x64', 'arm64'].includes(arch())) {
    throw new Error(`rackboot needs Linux on x64 or arm64, this is ${platform()} on ${arch()}`);
  }
  const library = koffi.load('libc.so.6');
  const bound = Object.entries(SIGNATURES).map(([name, signature]) => [name, library.func(signature)]);
  return Object.fromEntries(bound) as Libc;
}

/** Where `buffer` lies in memory; it must be large enough (over 64 bytes) to live outside V8's moving heap. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer);
}

/** A system call said no. `code` is the errno's name: EADDRINUSE, EACCES, … */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** The errno of the last call of this thread, by name. */
export function lastError(): string {
  return errorName(koffi.errno());
}

/** "ECONNREFUSED" for its number. */
export function errorName(number: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === number);
  return known ? known[0] : `errno ${number}`;
}

/** `result`, or a SystemCallError when it is negative. */
export function checked(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, lastError());
  return result;
}
