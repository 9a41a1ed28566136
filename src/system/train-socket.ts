import type { Inbound, Outbound, TrainSocket } from './datagram.ts';
import type { Inbox } from './inbox.ts';
import type { Libc } from './libc.ts';
import type { TrainQueue } from './train-queue.ts';

/** A TrainSocket of a thread whose sockets share `inbox` and `queue`. `owned`: `close` closes `fd` too. */
export class UdpTrainSocket implements TrainSocket {
  readonly buffer: Uint8Array;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #inbox: Inbox;
  readonly #queue: TrainQueue;
  #owned: boolean;

  constructor(libc: Libc, fd: number, inbox: Inbox, queue: TrainQueue, owned: boolean) {
    this.#libc = libc;
    this.#fd = fd;
    this.#inbox = inbox;
    this.#queue = queue;
    this.#owned = owned;
    this.buffer = queue.buffer;
  }

  receive(handle: (datagram: Inbound) => void): number {
    return this.#inbox.receive(this.#fd, handle);
  }

  room(size: number): number {
    return this.#queue.room(this.#fd, size);
  }

  send(length: number, segment: number, to: Outbound): void {
    this.#queue.send(length, segment, to);
  }

  flush(): number {
    return this.#queue.flush();
  }

  close(): void {
    this.#queue.flush();
    if (this.#owned) this.#libc.close(this.#fd);
    this.#owned = false;
  }
}
