import { checked, type Libc } from './libc.ts';

const EFD_NONBLOCK_CLOEXEC = 0o2004000;
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * The bell of a thread that blocks in `epoll_wait`: a MessagePort never wakes it, an eventfd it watches does
 * (58 µs from ring to answer, design §7). Numbers cross threads, so the same descriptor serves both ends.
 */
export class Wake {
  readonly fd: number;
  readonly #libc: Libc;

  constructor(libc: Libc, fd: number = checked('eventfd', libc.eventfd(0, EFD_NONBLOCK_CLOEXEC))) {
    this.#libc = libc;
    this.fd = fd;
  }

  ring(): void {
    this.#libc.write(this.fd, ONE, 8);
  }

  /** Takes all rings since the last time. */
  silence(): void {
    this.#libc.read(this.fd, new Uint8Array(8), 8);
  }

  close(): void {
    this.#libc.close(this.fd);
  }
}
