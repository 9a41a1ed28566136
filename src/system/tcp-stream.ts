import { errorName, lastError, type Libc } from './libc.ts';
import type { DuplexLoop, DuplexWatch, Readiness } from './loop.ts';
import { SOL_SOCKET } from './socket-numbers.ts';
import type { Outbox } from './stream-outbox.ts';
import type { Stream, StreamHandler } from './stream.ts';

const SO_ERROR = 4;
const SO_LINGER = 13;
const SHUT_WR = 1;
/** No SIGPIPE for a peer that has gone. */
const MSG_NOSIGNAL = 0x4000;
/** struct linger: on, with no time at all: `close` sends a reset. */
const RESET = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
/** Nothing is wrong, there is only nothing to be had now. */
const NOT_NOW: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR']);

/** What waits in small pieces is joined up to this: each of them would take far more than its bytes. */
const PIECE = 4 * 1024;

/** What the streams of a thread share. */
export interface StreamGround {
  readonly libc: Libc;
  readonly loop: DuplexLoop;
  /** What each receives into. */
  readonly inbox: Buffer;
  readonly outbox: Outbox;
}

type State = 'connecting' | 'open' | 'closed';

/** A stream on a descriptor of its own, that may still be connecting. A stream that waits keeps no buffer. */
export class TcpStream implements Stream {
  readonly #ground: StreamGround;
  readonly #fd: number;
  readonly #handler: StreamHandler;
  readonly #watch: DuplexWatch;
  #state: State;
  /** What the kernel did not take, the first from `#taken` on. */
  readonly #backlog: Uint8Array[] = [];
  #taken = 0;
  #buffered = 0;
  #isPaused = false;
  #hasPeerEnded = false;
  /** `end` was called; `#isShut`: and the peer was told. */
  #hasEnded = false;
  #isShut = false;
  /** In one of the handler's functions: what is written now leaves after it. */
  #isHandling = false;

  /** Takes over `fd`, and closes it. */
  constructor(ground: StreamGround, fd: number, handler: StreamHandler, state: 'connecting' | 'open') {
    this.#ground = ground;
    this.#fd = fd;
    this.#handler = handler;
    this.#state = state;
    this.#watch = ground.loop.watchDuplex(fd, (ready) => this.#serve(ready));
    this.#want();
  }

  get buffered(): number {
    return this.#buffered + (this.#isHandling ? this.#ground.outbox.length : 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#state === 'closed' || this.#hasEnded) return;
    if (this.#isHandling) return this.#collect(bytes);
    this.#send(bytes, true);
    this.#want();
  }

  hand(bytes: Uint8Array): void {
    if (this.#state === 'closed' || this.#hasEnded) return;
    if (this.#isHandling) this.#sendCollected();
    this.#send(bytes, false);
    this.#want();
  }

  pause(): void {
    this.#isPaused = true;
    this.#want();
  }

  resume(): void {
    this.#isPaused = false;
    this.#want();
  }

  end(): void {
    this.#hasEnded = true;
    if (!this.#isHandling) this.#settle();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#backlog.length = 0;
    this.#buffered = 0;
    if (this.#isHandling) this.#ground.outbox.clear();
    this.#watch.close();
    this.#ground.libc.close(this.#fd);
  }

  reset(): void {
    if (this.#state === 'closed') return;
    this.#ground.libc.setsockopt(this.#fd, SOL_SOCKET, SO_LINGER, RESET, RESET.length);
    this.close();
  }

  #serve(ready: Readiness): void {
    if (this.#state === 'connecting') return this.#finishConnecting(ready);
    if (ready.writable) this.#sendBacklog();
    const isReading = !this.#isPaused && !this.#hasPeerEnded;
    if (isReading && (ready.readable || ready.over)) this.#receive();
    else if (ready.over) this.#fail(this.#socketError());
  }

  #finishConnecting(ready: Readiness): void {
    if (!ready.writable && !ready.over) return;
    const error = this.#socketError();
    if (error !== undefined) return this.#fail(error);
    this.#state = 'open';
    this.#handle(() => this.#handler.connected?.(this));
    this.#sendBacklog();
  }

  #receive(): void {
    if (this.#isGone()) return;
    const { libc, inbox } = this.#ground;
    const length = libc.recv(this.#fd, inbox, inbox.length, 0);
    if (length > 0) return this.#handle(() => this.#handler.received(inbox.subarray(0, length), this));
    if (length < 0) return this.#failUnlessLater(lastError());
    this.#hasPeerEnded = true;
    this.#handle(() => this.#handler.ended(this));
  }

  /** Calls the handler, and sends what it wrote. */
  #handle(call: () => void): void {
    const { outbox } = this.#ground;
    this.#isHandling = true;
    try {
      call();
      this.#sendCollected();
    } finally {
      this.#isHandling = false;
      outbox.clear();
    }
    if (!this.#isGone()) this.#handler.settled?.(this);
    this.#settle();
  }

  #collect(bytes: Uint8Array): void {
    const { outbox } = this.#ground;
    if (outbox.add(bytes)) return;
    this.#sendCollected();
    if (!outbox.add(bytes)) this.#send(bytes, true);
  }

  #sendCollected(): void {
    const collected = this.#ground.outbox.take();
    if (collected.length > 0 && !this.#isGone()) this.#send(collected, true);
  }

  /** Hands `bytes` to the kernel, and keeps what that does not take: all of it behind what waits already. */
  #send(bytes: Uint8Array, isShared: boolean): void {
    if (this.#buffered > 0 || this.#state === 'connecting') return this.#keep(bytes, isShared);
    const sent = this.#ground.libc.send(this.#fd, bytes, bytes.length, MSG_NOSIGNAL);
    if (sent === bytes.length) return;
    if (sent < 0 && !NOT_NOW.has(lastError())) return this.#failLater(lastError());
    const rest = bytes.subarray(Math.max(sent, 0));
    this.#keep(rest, isShared);
  }

  /** Those that are shared are copied. */
  #keep(bytes: Uint8Array, isShared: boolean): void {
    if (bytes.length === 0) return;
    const last = this.#backlog.at(-1);
    if (last && last.length + bytes.length <= PIECE) this.#backlog.splice(-1, 1, joined(last, bytes));
    else this.#backlog.push(isShared ? joined(bytes) : bytes);
    this.#buffered += bytes.length;
  }

  #sendBacklog(): void {
    const had = this.#buffered;
    while (this.#buffered > 0 && !this.#isGone()) if (!this.#sendFirst()) break;
    if (this.#buffered < had && !this.#isGone()) this.#handler.settled?.(this);
    if (had > 0 && this.#buffered === 0 && !this.#isGone()) this.#handle(() => this.#handler.drained(this));
    else this.#settle();
  }

  /** False when the kernel takes no more. */
  #sendFirst(): boolean {
    const first = this.#backlog[0]?.subarray(this.#taken) ?? new Uint8Array();
    const sent = this.#ground.libc.send(this.#fd, first, first.length, MSG_NOSIGNAL);
    if (sent < 0) {
      this.#failUnlessLater(lastError());
      return false;
    }
    this.#buffered -= sent;
    this.#taken += sent;
    if (sent < first.length) return false;
    this.#backlog.shift();
    this.#taken = 0;
    return true;
  }

  /** After all that may change what is wanted of the descriptor. */
  #settle(): void {
    if (this.#state !== 'open') return;
    if (this.#hasEnded && !this.#isShut && this.#buffered === 0) {
      this.#isShut = true;
      this.#ground.libc.shutdown(this.#fd, SHUT_WR);
    }
    if (this.#isShut && this.#hasPeerEnded) return this.#fail();
    this.#want();
  }

  #want(): void {
    if (this.#state === 'closed') return;
    const isConnecting = this.#state === 'connecting';
    const isReading = !isConnecting && !this.#isPaused && !this.#hasPeerEnded;
    this.#watch.want(isReading, isConnecting || this.#buffered > 0);
  }

  #isGone(): boolean {
    return this.#state === 'closed';
  }

  #failUnlessLater(error: string): void {
    if (!NOT_NOW.has(error)) this.#fail(error);
  }

  /** Nobody who writes expects to be told so in the middle of it. */
  #failLater(error: string): void {
    this.#hasEnded = true;
    this.#ground.loop.after(0, () => this.#fail(error));
  }

  #fail(error?: string): void {
    if (this.#isGone()) return;
    this.close();
    this.#handler.closed(this, error);
  }

  /** Why it failed; undefined when it did not. */
  #socketError(): string | undefined {
    const value = Buffer.alloc(4);
    const length = Buffer.from([4, 0, 0, 0]);
    if (this.#ground.libc.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, value, length) < 0) return lastError();
    const number = value.readInt32LE();
    return number === 0 ? undefined : errorName(number);
  }
}

/** A copy that holds on to nothing but itself, as one of a pool would. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.alloc(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
