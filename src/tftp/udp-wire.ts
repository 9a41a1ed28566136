import type { PollContext } from '../service/run-on-poll-loop.ts';
import { mtuTowards } from '../system/mtu.ts';
import { boundPort } from '../system/udp-socket.ts';
import type { TftpWire } from './tftp-service.ts';

/** Bytes: hundreds of clients share a socket. As much of it as the kernel allows. */
const BUFFER = 4 * 1024 * 1024;

/** A block's header and some of it: in a capture a whole file would be in nobody's interest. */
const KEPT_OF_A_PACKET = 128;

/** The wire of a running rack: real sockets. */
export function udpWire({ sockets, libc, tap }: Pick<PollContext, 'sockets' | 'libc' | 'tap'>): TftpWire {
  return {
    openSocket: ({ fd, address, port }) =>
      tap.trains(sockets.adoptForTrains(fd), { address, port: () => port }, KEPT_OF_A_PACKET),
    openTransferSocket: (address) => {
      const { socket, fd } = sockets.openForTrains({ address, port: 0, receiveBuffer: BUFFER, sendBuffer: BUFFER });
      return { socket: tap.trains(socket, { address, port: () => boundPort(libc, fd) }, KEPT_OF_A_PACKET), fd };
    },
    mtuTowards: (address) => mtuTowards(libc, address),
  };
}
