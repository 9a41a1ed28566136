import assert from 'node:assert/strict';
import type { Ip4 } from '../../src/addr/ip4.ts';
import type { SocketHandle } from '../../src/service/letters.ts';
import type { DatagramSocket, Inbound, Outbound } from '../../src/system/datagram.ts';
import type { TransferSocket } from '../../src/tftp/read-session.ts';
import type { TftpWire } from '../../src/tftp/tftp-service.ts';
import { decodeTftp, type TftpPacket } from '../../src/wire/tftp/packet.ts';
import type { FakeLoop } from './fake-loop.ts';

/** A packet that left the service. */
export interface Sent {
  readonly socket: MemorySocket;
  readonly to: Outbound;
  readonly packet: TftpPacket;
}

/** A socket whose cable the test holds. */
export class MemorySocket implements DatagramSocket {
  readonly fd: number;
  readonly localAddress: Ip4;
  closed = false;
  readonly #sink: Sent[];
  readonly #inbox: Inbound[] = [];
  #queue: Sent[] = [];

  constructor(fd: number, localAddress: Ip4, sink: Sent[]) {
    this.fd = fd;
    this.localAddress = localAddress;
    this.#sink = sink;
  }

  put(datagram: Inbound): void {
    this.#inbox.push(datagram);
  }

  receive(handle: (datagram: Inbound) => void): number {
    const waiting = this.#inbox.splice(0);
    for (const datagram of waiting) handle(datagram);
    return waiting.length;
  }

  send(bytes: Uint8Array, to: Outbound): void {
    assert.ok(!this.closed, 'a closed socket sends nothing');
    this.#queue.push({ socket: this, to, packet: decodeTftp(bytes.slice()) });
  }

  flush(): number {
    this.#sink.push(...this.#queue);
    this.#queue = [];
    return 0;
  }

  close(): void {
    assert.ok(!this.closed, 'a socket is closed once');
    this.closed = true;
  }
}

/** The network between a TftpService and its clients, in memory. */
export class MemoryWire implements TftpWire {
  readonly transferSockets: MemorySocket[] = [];
  readonly listeners: MemorySocket[] = [];
  /** When set, no transfer socket can be opened, for this reason. */
  exhausted: string | undefined;
  readonly #loop: FakeLoop;
  readonly #sent: Sent[] = [];
  #nextFd = 1000;

  constructor(loop: FakeLoop) {
    this.#loop = loop;
  }

  openSocket(handle: SocketHandle): DatagramSocket {
    const socket = new MemorySocket(handle.fd, handle.address, this.#sent);
    this.listeners.push(socket);
    return socket;
  }

  openTransferSocket(localAddress: Ip4): TransferSocket {
    if (this.exhausted !== undefined) throw new Error(this.exhausted);
    const socket = new MemorySocket(this.#nextFd++, localAddress, this.#sent);
    this.transferSockets.push(socket);
    return { socket, fd: socket.fd };
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
    const heard = this.#sent.filter(({ to }) => to.address === address && to.port === port);
    for (const sent of heard) this.#sent.splice(this.#sent.indexOf(sent), 1);
    return heard;
  }
}
