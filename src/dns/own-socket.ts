import type { DatagramSocket, Inbound, Outbound } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';

/** A UDP socket of this service's own, opened when something is first sent by it. */
export class OwnSocket {
  readonly #loop: Loop;
  readonly #open: () => { readonly socket: DatagramSocket; readonly fd: number };
  readonly #heard: (datagram: Inbound) => void;
  #opened: { readonly socket: DatagramSocket; readonly watch: { close(): void } } | undefined;

  constructor(
    loop: Loop,
    open: () => { readonly socket: DatagramSocket; readonly fd: number },
    heard: (datagram: Inbound) => void,
  ) {
    this.#loop = loop;
    this.#open = open;
    this.#heard = heard;
  }

  /** Sends at once; returns how many datagrams the kernel would not take. */
  send(bytes: Uint8Array, to: Outbound): number {
    this.#opened ??= this.#begin();
    this.#opened.socket.send(bytes, to);
    return this.#opened.socket.flush();
  }

  close(): void {
    this.#opened?.watch.close();
    this.#opened?.socket.close();
    this.#opened = undefined;
  }

  #begin(): { readonly socket: DatagramSocket; readonly watch: { close(): void } } {
    const { socket, fd } = this.#open();
    return { socket, watch: this.#loop.watch(fd, () => void socket.receive(this.#heard)) };
  }
}
