import type { Ip4 } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { DatagramSocket } from '../system/datagram.ts';

/** A socket of the rack's that is served. */
export interface OpenSocket {
  readonly handle: SocketHandle;
  /** Absent for one that listens for streams. */
  readonly socket?: DatagramSocket;
  readonly watch: { close(): void };
}

/** The sockets of the rack's that a thread serves. */
export class RackSockets {
  readonly #open: (handle: SocketHandle) => OpenSocket;
  #all: readonly OpenSocket[] = [];

  /** `open` begins to serve one. */
  constructor(open: (handle: SocketHandle) => OpenSocket) {
    this.#open = open;
  }

  get all(): readonly OpenSocket[] {
    return this.#all;
  }

  /** Serves these and no others. */
  apply(handles: readonly SocketHandle[]): void {
    const kept = this.#all.filter((open) => handles.some((handle) => sameSocket(handle, open.handle)));
    for (const open of this.#all) if (!kept.includes(open)) closeSocket(open);
    const added = handles.filter((handle) => !kept.some((open) => sameSocket(handle, open.handle)));
    this.#all = [...kept, ...added.map(this.#open)];
  }

  /** Whether it is still served. */
  has(socket: DatagramSocket): boolean {
    return this.#all.some((open) => open.socket === socket);
  }

  /** The one for datagrams to an address of ours. */
  at(address: Ip4, port: number): DatagramSocket | undefined {
    return this.#all.find(({ socket, handle }) => socket && handle.address === address && handle.port === port)?.socket;
  }

  close(): void {
    for (const open of this.#all) closeSocket(open);
    this.#all = [];
  }
}

/** A descriptor's number may come back for another socket. */
function sameSocket(a: SocketHandle, b: SocketHandle): boolean {
  return a.fd === b.fd && a.address === b.address && a.port === b.port && a.ifindex === b.ifindex;
}

function closeSocket(open: OpenSocket): void {
  open.watch.close();
  open.socket?.close();
}
