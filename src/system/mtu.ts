import type { Ip4 } from '../addr/ip4.ts';
import type { Libc } from './libc.ts';
import { IPPROTO_IP } from './packet-info.ts';
import { AF_INET, SOCK_CLOEXEC_NONBLOCK, SOCK_DGRAM, SOCKADDR_IN } from './socket-numbers.ts';
import { socketAddress } from './udp-socket.ts';

const IP_MTU = 14;
const SIOCGIFMTU = 0x8921;
/** struct ifreq: the name, and at 16 the answer. */
const IFREQ = 40;
const IFNAMSIZ = 16;
/** Nothing is sent to it; a route is looked up for an address and some port. */
const DISCARD_PORT = 9;

/**
 * Octets of the largest IP packet that gets to `address` whole, as far as this machine knows: by its route, the interface
 * behind it, and what routers on the way have told. Undefined when there is no route, or no
 * descriptor to ask with. Four quick system calls.
 */
export function mtuTowards(libc: Libc, address: Ip4): number | undefined {
  return withSocket(libc, (fd) => {
    if (libc.connect(fd, socketAddress(address, DISCARD_PORT), SOCKADDR_IN) < 0) return undefined;
    const value = Buffer.alloc(4);
    const length = Buffer.alloc(4);
    length.writeInt32LE(value.length);
    return libc.getsockopt(fd, IPPROTO_IP, IP_MTU, value, length) < 0 ? undefined : value.readInt32LE(0);
  });
}

/** Octets of the largest IP packet that an interface sends; undefined when there is no such interface. */
export function mtuOf(libc: Libc, interfaceName: string): number | undefined {
  const request = Buffer.alloc(IFREQ);
  if (Buffer.byteLength(interfaceName) >= IFNAMSIZ) return undefined;
  request.write(interfaceName);
  return withSocket(libc, (fd) =>
    libc.ioctl(fd, SIOCGIFMTU, request) < 0 ? undefined : request.readInt32LE(IFNAMSIZ),
  );
}

function withSocket<T>(libc: Libc, ask: (fd: number) => T): T | undefined {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) return undefined;
  try {
    return ask(fd);
  } finally {
    libc.close(fd);
  }
}
