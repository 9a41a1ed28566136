import type { Ip4 } from '../addr/ip4.ts';
import { checked, lastError, type Libc } from './libc.ts';
import { AF_INET, SOCK_CLOEXEC_NONBLOCK, SOCK_DGRAM, SOCKADDR_IN } from './socket-numbers.ts';
import { socketAddress } from './udp-socket.ts';

/** Longer than any datagram that is asked for; one that fills it was cut. */
const ROOM = 4096;

/** What came of looking for a datagram; `refused`: nobody listens there, or there is no way to it. */
export type Received = 'datagram' | 'nothing' | 'refused';

/** A UDP socket on a port of its own that hears one peer only. */
export interface PeerSocket {
  readonly fd: number;
  /** False when there is no way to the peer, as far as this machine knows. */
  send(bytes: Uint8Array): boolean;
  /** Hands over one datagram; `bytes` is valid only inside. */
  receive(handle: (bytes: Buffer) => void): Received;
  close(): void;
}

/** Opens sockets of one thread, which share the room they receive into. */
export class PeerSockets {
  readonly #libc: Libc;
  readonly #room = Buffer.alloc(ROOM);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Connected, so that the kernel drops what comes from anyone else, and says at once when nobody listens. The kernel
   * chooses the port, at random of those that are nobody's (`net.ipv4.ip_local_port_range`). Throws SystemCallError.
   */
  open(address: Ip4, port: number): PeerSocket {
    const fd = checked('socket', this.#libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0));
    try {
      checked('connect', this.#libc.connect(fd, socketAddress(address, port), SOCKADDR_IN));
    } catch (error) {
      this.#libc.close(fd);
      throw error;
    }
    return new ConnectedSocket(this.#libc, fd, this.#room);
  }
}

class ConnectedSocket implements PeerSocket {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #room: Buffer;
  #isOpen = true;

  constructor(libc: Libc, fd: number, room: Buffer) {
    this.#libc = libc;
    this.fd = fd;
    this.#room = room;
  }

  send(bytes: Uint8Array): boolean {
    // A full buffer loses the datagram, as the network may
    return this.#libc.write(this.fd, bytes, bytes.length) >= 0 || lastError() === 'EAGAIN';
  }

  receive(handle: (bytes: Buffer) => void): Received {
    const length = this.#libc.read(this.fd, this.#room, ROOM);
    if (length < 0) return lastError() === 'EAGAIN' ? 'nothing' : 'refused';
    if (length < ROOM) handle(this.#room.subarray(0, length));
    return 'datagram';
  }

  close(): void {
    if (this.#isOpen) this.#libc.close(this.fd);
    this.#isOpen = false;
  }
}
