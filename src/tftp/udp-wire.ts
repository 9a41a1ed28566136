import type { UdpSockets } from '../system/udp-socket.ts';
import type { TftpWire } from './tftp-service.ts';

/** The wire of a running rack: real sockets. */
export function udpWire(sockets: UdpSockets): TftpWire {
  return {
    openSocket: ({ fd }) => sockets.adopt(fd),
    openTransferSocket: (localAddress) => sockets.open({ address: localAddress, port: 0 }),
  };
}
