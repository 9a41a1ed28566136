import type { Ip4 } from '../addr/ip4.ts';
import type { Inbound, TrainSocket } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';

/** A socket with its descriptor, so that a loop can watch it. */
export interface TransferSocket {
  readonly socket: TrainSocket;
  readonly fd: number;
}

/**
 * Where transfers leave from: our transfer ID (RFC 1350 §4). Many clients share one port, each told from the others by its
 * own address and port, so that a system call carries packets of many. But none meets the same port twice: a packet left
 * over from one transfer is never taken for one of the next.
 */
export interface TransferPort {
  readonly socket: TrainSocket;
  /** Whether a peer ever had a transfer here. */
  knows(peer: number): boolean;
  /** Gives it up, at the end of a transfer. */
  release(): void;
}

/** Peers a port gets to know before new ones go to another: what it remembers of them is memory. */
const MOST_PEERS = 4096;

/** The ports of all transfers. One that nobody uses any more is closed. */
export class TransferPorts {
  readonly #loop: Loop;
  readonly #openSocket: (localAddress: Ip4) => TransferSocket;
  readonly #onDatagram: (datagram: Inbound, port: TransferPort) => void;
  readonly #ports = new Set<SharedPort>();

  constructor(
    loop: Loop,
    openSocket: (localAddress: Ip4) => TransferSocket,
    onDatagram: (datagram: Inbound, port: TransferPort) => void,
  ) {
    this.#loop = loop;
    this.#openSocket = openSocket;
    this.#onDatagram = onDatagram;
  }

  /** A port at `localAddress` that `peer` never met. Throws when no socket can be had. */
  acquire(localAddress: Ip4, peer: number): TransferPort {
    const port = this.#find(localAddress, peer) ?? this.#open(localAddress);
    port.peers.add(peer);
    port.transfers++;
    return port;
  }

  #find(localAddress: Ip4, peer: number): SharedPort | undefined {
    for (const port of this.#ports) {
      if (port.localAddress === localAddress && port.peers.size < MOST_PEERS && !port.knows(peer)) return port;
    }
    return undefined;
  }

  #open(localAddress: Ip4): SharedPort {
    const { socket, fd } = this.#openSocket(localAddress);
    const watch = this.#loop.watch(fd, () => {
      socket.receive((datagram) => {
        // The last transfer, and with it the socket, may have ended in the middle of what was received
        if (port.transfers > 0) this.#onDatagram(datagram, port);
      });
      if (port.transfers > 0) socket.flush();
    });
    const port = new SharedPort(localAddress, socket, () => {
      // Before the descriptor: its number may be another's a moment later
      watch.close();
      socket.close();
      this.#ports.delete(port);
    });
    this.#ports.add(port);
    return port;
  }
}

class SharedPort implements TransferPort {
  readonly localAddress: Ip4;
  readonly socket: TrainSocket;
  readonly peers = new Set<number>();
  transfers = 0;
  readonly #close: () => void;

  constructor(localAddress: Ip4, socket: TrainSocket, close: () => void) {
    this.localAddress = localAddress;
    this.socket = socket;
    this.#close = close;
  }

  knows(peer: number): boolean {
    return this.peers.has(peer);
  }

  release(): void {
    if (--this.transfers === 0) this.#close();
  }
}
