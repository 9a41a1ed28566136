import type { Libc } from '../system/libc.ts';
import { mtuTowards } from '../system/mtu.ts';
import type { UdpSockets } from '../system/udp-socket.ts';
import type { TftpWire } from './tftp-service.ts';

/** Bytes: hundreds of clients share a socket. As much of it as the kernel allows. */
const BUFFER = 4 * 1024 * 1024;

/** The wire of a running rack: real sockets. */
export function udpWire(sockets: UdpSockets, libc: Libc): TftpWire {
  return {
    openSocket: ({ fd }) => sockets.adoptForTrains(fd),
    openTransferSocket: (localAddress) =>
      sockets.openForTrains({ address: localAddress, port: 0, receiveBuffer: BUFFER, sendBuffer: BUFFER }),
    mtuTowards: (address) => mtuTowards(libc, address),
  };
}
