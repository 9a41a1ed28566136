import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { DatagramSocket } from '../system/datagram.ts';
import type { DnsClient } from './dns-client.ts';
import type { Received } from './hand-over.ts';

/** Where a reply goes, and through which of our sockets: each is bound to one address of ours. */
export interface ReturnPath {
  readonly socket: DatagramSocket;
  readonly address: Ip4;
  readonly port: number;
}

/** The client of the datagram in hand: one serves all, one after the other. */
export class UdpClient implements DnsClient {
  address: Ip4 = UNSPECIFIED;
  port = 0;
  #socket: DatagramSocket | undefined;
  readonly #send: (reply: Uint8Array, to: ReturnPath) => void;

  constructor(send: (reply: Uint8Array, to: ReturnPath) => void) {
    this.#send = send;
  }

  take({ source, sourcePort }: Received, socket: DatagramSocket): void {
    this.address = source;
    this.port = sourcePort;
    this.#socket = socket;
  }

  later(): (reply: Uint8Array) => void {
    const socket = this.#socket;
    if (!socket) throw new Error('no datagram is in hand');
    const to: ReturnPath = { socket, address: this.address, port: this.port };
    return (reply) => this.#send(reply, to);
  }
}
