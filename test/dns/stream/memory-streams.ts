import type { Ip4 } from '../../../src/addr/ip4.ts';
import type { Accepted, Stream, StreamAcceptor, StreamHandler } from '../../../src/system/stream.ts';
import { ip4 } from '../plan-of.ts';

/** One end of a connection without a network. The client reads at once, unless it is told not to. */
export class MemoryStream implements Stream {
  readonly handler: StreamHandler;
  readonly address: Ip4;
  /** What the client read. */
  sent = Buffer.alloc(0);
  isPaused = false;
  /** Or how it ended. */
  state: 'open' | 'ended' | 'closed' | 'reset' = 'open';
  #isReading = true;
  #unread = Buffer.alloc(0);

  constructor(handler: StreamHandler, address: Ip4) {
    this.handler = handler;
    this.address = address;
  }

  get buffered(): number {
    return this.#unread.length;
  }

  /** The messages that the client read, without their lengths. */
  get messages(): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < this.sent.length; at += 2 + this.sent.readUInt16BE(at)) {
      messages.push(this.sent.subarray(at + 2, at + 2 + this.sent.readUInt16BE(at)));
    }
    return messages;
  }

  /** The client sends; its bytes are overwritten once they were handled, as in a receive buffer. */
  arrive(...parts: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    this.handler.received(bytes, this);
    if (this.state === 'open') this.handler.settled?.(this);
    bytes.fill(0xdd);
  }

  stopReading(): void {
    this.#isReading = false;
  }

  /** The client reads so much of what waits, or all of it. */
  read(count = this.#unread.length): void {
    const had = this.#unread.length;
    this.sent = Buffer.concat([this.sent, this.#unread.subarray(0, count)]);
    this.#unread = this.#unread.subarray(count);
    if (this.#unread.length < had) this.handler.settled?.(this);
    if (had > 0 && this.#unread.length === 0) this.handler.drained(this);
  }

  write(bytes: Uint8Array): void {
    if (this.state !== 'open') return;
    if (this.#isReading) this.sent = Buffer.concat([this.sent, bytes]);
    else this.#unread = Buffer.concat([this.#unread, bytes]);
  }

  hand(bytes: Uint8Array): void {
    this.write(bytes);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.state = 'ended';
  }

  close(): void {
    this.state = 'closed';
  }

  reset(): void {
    this.state = 'reset';
  }
}

/** Connections that come when a test says so. */
export class MemoryAcceptor implements StreamAcceptor {
  readonly streams: MemoryStream[] = [];
  /** What the next `accept` calls say before anybody is taken in. */
  readonly errors: string[] = [];
  refused = 0;
  readonly #waiting: Accepted[] = [];
  #lastFd = 100;

  come(from = '192.0.2.50'): void {
    this.#waiting.push({ fd: ++this.#lastFd, address: ip4(from), port: 40_000 });
  }

  accept(): Accepted | string {
    return this.errors.shift() ?? this.#waiting.shift() ?? 'EAGAIN';
  }

  adopt(accepted: Accepted, handler: StreamHandler): Stream {
    const stream = new MemoryStream(handler, accepted.address);
    this.streams.push(stream);
    return stream;
  }

  refuse(): void {
    this.refused++;
  }
}

/** A message with its length in front. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + message.length);
  bytes.writeUInt16BE(message.length);
  bytes.set(message, 2);
  return bytes;
}
