import type { Ip4 } from '../../src/addr/ip4.ts';
import type { SocketHandle } from '../../src/service/letters.ts';
import { BATCH, type DatagramSocket, type Inbound, type Outbound } from '../../src/system/datagram.ts';
import type { Loop } from '../../src/system/loop.ts';
import { ip4 } from './plan-of.ts';

/** A socket without a network: what `arrive` brings is received, what was sent is in `sent` once flushed. */
export class MemorySocket implements DatagramSocket {
  readonly sent: { readonly bytes: Buffer; readonly to: Outbound }[] = [];
  closed = false;
  /** How many datagrams the next flush fails to send. */
  refuse = 0;
  flushes = 0;
  readonly #waiting: Inbound[] = [];
  readonly #queued: { readonly bytes: Buffer; readonly to: Outbound }[] = [];

  arrive(bytes: Uint8Array, from: { readonly source: Ip4; readonly port?: number; readonly to: Ip4 }): void {
    const { source, port = 40_000, to } = from;
    this.#waiting.push({ bytes: Buffer.from(bytes), source, sourcePort: port, destination: to, ifindex: 2 });
  }

  receive(handle: (datagram: Inbound) => void): number {
    const batch = this.#waiting.splice(0, BATCH);
    for (const datagram of batch) {
      handle(datagram);
      // As in a receive buffer that is used again
      datagram.bytes.fill(0xdd);
    }
    return batch.length;
  }

  send(bytes: Uint8Array, to: Outbound): void {
    this.#queued.push({ bytes: Buffer.from(bytes), to });
  }

  flush(): number {
    this.flushes++;
    this.sent.push(...this.#queued.splice(0));
    const refused = this.refuse;
    this.refuse = 0;
    return refused;
  }

  close(): void {
    this.closed = true;
  }
}

/** A loop that only turns when told that a descriptor is ready. */
export class HandLoop implements Loop {
  readonly #watched = new Map<number, () => void>();

  get watched(): number[] {
    return [...this.#watched.keys()];
  }

  ready(fd: number): void {
    this.#watched.get(fd)?.();
  }

  watch(fd: number, handle: () => void): { close(): void } {
    if (this.#watched.has(fd)) throw new Error(`${fd} is watched already`);
    this.#watched.set(fd, handle);
    return { close: () => void this.#watched.delete(fd) };
  }

  after(): never {
    throw new Error('no timers here');
  }
}

export function udpHandle(fd: number, address: string): SocketHandle {
  return { fd, transport: 'udp', address: ip4(address), port: 53 };
}
