import { readIp4 } from '../addr/ip4.ts';
import { INBOX, type Inbound } from './datagram.ts';
import type { Libc } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { readPacketInfo } from './packet-info.ts';
import { MSG_DONTWAIT } from './socket-numbers.ts';

/** What one recvmmsg takes: shared by the UDP sockets of a thread, as it is read out before the next call. */
export class Inbox {
  readonly #libc: Libc;
  readonly #batch: MessageBatch;

  /** `slot`: the longest datagram, in bytes; a longer one is lost. */
  constructor(libc: Libc, slot: number) {
    this.#libc = libc;
    this.#batch = new MessageBatch(INBOX, slot);
    for (let i = 0; i < INBOX; i++) this.#batch.expect(i);
  }

  /** Hands over what waits in `fd`; returns how many there were. */
  receive(fd: number, handle: (datagram: Inbound) => void): number {
    const batch = this.#batch;
    const count = this.#libc.recvmmsg(fd, batch.headers, INBOX, MSG_DONTWAIT, null);
    try {
      for (let i = 0; i < count; i++) if (!batch.truncated(i)) handle(readInbound(batch, i));
    } finally {
      // Only what was used
      for (let i = 0; i < count; i++) batch.expect(i);
    }
    return Math.max(count, 0);
  }
}

function readInbound(batch: MessageBatch, index: number): Inbound {
  const name = batch.nameOffset(index);
  const payload = batch.payload(index);
  const { ifindex, destination } = readPacketInfo(batch, index);
  return {
    bytes: batch.arena.subarray(payload, payload + batch.received(index)),
    source: readIp4(batch.arena, name + 4),
    sourcePort: batch.arenaView.getUint16(name + 2),
    ifindex,
    destination,
  };
}
