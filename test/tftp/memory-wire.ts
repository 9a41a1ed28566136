import assert from 'node:assert/strict';
import type { Ip4 } from '../../src/addr/ip4.ts';
import type { SocketHandle } from '../../src/service/letters.ts';
import type { Inbound, Outbound, TrainSocket } from '../../src/system/datagram.ts';
import type { TftpWire } from '../../src/tftp/tftp-service.ts';
import type { TransferSocket } from '../../src/tftp/transfer-ports.ts';
import { LONGEST_TRAIN, MOST_SEGMENTS } from '../../src/system/datagram.ts';
import { decodeTftp, type TftpPacket } from '../../src/wire/tftp/packet.ts';
import type { FakeLoop } from './fake-loop.ts';

/** A packet that left the service. */
export interface Sent {
  readonly socket: MemorySocket;
  readonly to: Outbound;
  readonly packet: TftpPacket;
}

/** What the sockets of one thread have queued, and what has left. */
class Cable {
  readonly left: Sent[] = [];
  #queue: Sent[] = [];

  queue(sent: Sent): void {
    this.#queue.push(sent);
  }

  flush(): void {
    this.left.push(...this.#queue.splice(0));
  }
}

/** A socket whose cable the test holds. */
export class MemorySocket implements TrainSocket {
  readonly fd: number;
  readonly localAddress: Ip4;
  readonly buffer = new Uint8Array(LONGEST_TRAIN);
  closed = false;
  readonly #cable: Cable;
  readonly #inbox: Inbound[] = [];

  constructor(fd: number, localAddress: Ip4, cable: Cable) {
    this.fd = fd;
    this.localAddress = localAddress;
    this.#cable = cable;
  }

  put(datagram: Inbound): void {
    this.#inbox.push(datagram);
  }

  receive(handle: (datagram: Inbound) => void): number {
    const waiting = this.#inbox.splice(0);
    for (const datagram of waiting) handle(datagram);
    return waiting.length;
  }

  room(size: number): number {
    assert.ok(size <= LONGEST_TRAIN);
    return 0;
  }

  send(length: number, segment: number, to: Outbound): void {
    assert.ok(!this.closed, 'a closed socket sends nothing');
    assert.ok(Math.ceil(length / segment) <= MOST_SEGMENTS);
    for (let at = 0; at < length; at += segment) {
      const bytes = this.buffer.slice(at, Math.min(at + segment, length));
      this.#cable.queue({ socket: this, to, packet: decodeTftp(bytes) });
    }
  }

  flush(): number {
    assert.ok(!this.closed, 'a closed socket flushes nothing');
    this.#cable.flush();
    return 0;
  }

  close(): void {
    assert.ok(!this.closed, 'a socket is closed once');
    this.#cable.flush();
    this.closed = true;
  }
}

/** The network between a TftpService and its clients, in memory. */
export class MemoryWire implements TftpWire {
  readonly transferSockets: MemorySocket[] = [];
  readonly listeners: MemorySocket[] = [];
  /** When set, no transfer socket can be opened, for this reason. */
  exhausted: string | undefined;
  /** Octets, towards every client. */
  mtu: number | undefined;
  readonly #loop: FakeLoop;
  readonly #cable = new Cable();
  #nextFd = 1000;

  constructor(loop: FakeLoop) {
    this.#loop = loop;
  }

  openSocket(handle: SocketHandle): MemorySocket {
    const socket = new MemorySocket(handle.fd, handle.address, this.#cable);
    this.listeners.push(socket);
    return socket;
  }

  openTransferSocket(localAddress: Ip4): TransferSocket {
    if (this.exhausted !== undefined) throw new Error(this.exhausted);
    const socket = new MemorySocket(this.#nextFd++, localAddress, this.#cable);
    this.transferSockets.push(socket);
    return { socket, fd: socket.fd };
  }

  mtuTowards(): number | undefined {
    return this.mtu;
  }

  /** Transfer sockets that are not closed. */
  get open(): readonly MemorySocket[] {
    return this.transferSockets.filter(({ closed }) => !closed);
  }

  /** Brings a datagram to `socket`, as one wakeup of the thread. */
  deliver(socket: MemorySocket, bytes: Uint8Array, source: Ip4, sourcePort: number, destination?: Ip4): void {
    socket.put({ bytes, source, sourcePort, destination: destination ?? socket.localAddress, ifindex: 2 });
    this.#loop.ready(socket.fd);
  }

  /** The packets that left since the last call, to this port of this address. */
  heardBy(address: Ip4, port: number): readonly Sent[] {
    const { left } = this.#cable;
    const heard = left.filter(({ to }) => to.address === address && to.port === port);
    for (const sent of heard) left.splice(left.indexOf(sent), 1);
    return heard;
  }
}
