import type { Ip4 } from '../addr/ip4.ts';
import { checked, type Libc } from './libc.ts';
import { socketAddress } from './udp-socket.ts';
import { AF_INET, SOCKADDR_IN, SOCK_CLOEXEC_NONBLOCK, SOCK_STREAM, SOL_SOCKET } from './socket-numbers.ts';

const SO_REUSEADDR = 2;
/** A rack that powers up connects all at once; beyond this the kernel makes clients try again. */
const BACKLOG = 4096;

/** Opens a listening TCP socket; SO_REUSEADDR, so that a restart does not wait for old connections. Throws SystemCallError. */
export function openTcpListener(libc: Libc, address: Ip4, port: number): number {
  const fd = checked('socket', libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC_NONBLOCK, 0));
  try {
    const one = Buffer.from([1, 0, 0, 0]);
    checked('SO_REUSEADDR', libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, one.length));
    checked('bind', libc.bind(fd, socketAddress(address, port), SOCKADDR_IN));
    checked('listen', libc.listen(fd, BACKLOG));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
