import { BATCH } from './datagram.ts';
import type { Libc } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { MSG_DONTWAIT } from './socket-numbers.ts';

/**
 * Datagrams waiting for one sendmmsg. One queue serves every socket of a thread, as the arrays are large and
 * a thread fills one socket's batch at a time: what another socket has queued is sent first.
 */
export class SendQueue {
  readonly batch: MessageBatch;
  readonly #libc: Libc;
  #fd = -1;
  #queued = 0;
  /** Since `flush` last told. */
  #refused = 0;

  constructor(libc: Libc, slot: number) {
    this.#libc = libc;
    this.batch = new MessageBatch(BATCH, slot);
  }

  /** The index of a free message for `fd`, whose name, control and payload the caller fills in and describes. */
  next(fd: number): number {
    if (this.#queued > 0 && (this.#fd !== fd || this.#queued === this.batch.count)) this.#sendAll();
    this.#fd = fd;
    return this.#queued++;
  }

  /** Sends what is queued. A message the kernel refuses is skipped; returns how many were since the last time. */
  flush(): number {
    this.#sendAll();
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }

  #sendAll(): void {
    const total = this.#queued;
    let done = 0;
    while (done < total) {
      const taken = this.#libc.sendmmsg(this.#fd, this.batch.headersFrom(done), total - done, MSG_DONTWAIT);
      if (taken <= 0) this.#refused++;
      done += Math.max(taken, 1);
    }
    this.#queued = 0;
  }
}
