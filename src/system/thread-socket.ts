import type { Inbound } from './datagram.ts';
import type { Inbox } from './inbox.ts';
import type { Libc } from './libc.ts';

/** What the UDP sockets of a thread have in common: they receive into one inbox, and each kind sends from one queue. */
export abstract class ThreadSocket<Queue extends { flush(): number }> {
  protected readonly fd: number;
  protected readonly queue: Queue;
  readonly #libc: Libc;
  readonly #inbox: Inbox;
  #owned: boolean;

  /** `owned`: `close` closes `fd` too. */
  constructor(libc: Libc, fd: number, inbox: Inbox, queue: Queue, owned: boolean) {
    this.#libc = libc;
    this.fd = fd;
    this.#inbox = inbox;
    this.queue = queue;
    this.#owned = owned;
  }

  receive(handle: (datagram: Inbound) => void): number {
    return this.#inbox.receive(this.fd, handle);
  }

  flush(): number {
    return this.queue.flush();
  }

  close(): void {
    this.queue.flush();
    if (this.#owned) this.#libc.close(this.fd);
    // A second close would take the descriptor of whoever got its number meanwhile
    this.#owned = false;
  }
}
