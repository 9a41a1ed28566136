import type { Ip4 } from '../../addr/ip4.ts';
import type { Accepted, Stream, StreamHandler } from '../../system/stream.ts';
import { FRAME, MessageFrames } from '../../wire/dns/message-frames.ts';
import type { ReplySink, StreamClient, StreamDesk } from './stream-client.ts';
import type { TcpLimits } from './tcp-limits.ts';

/** Why a connection was closed from here. */
export type CloseReason = 'idle' | 'crowded' | 'junk' | 'stuck' | 'unread' | 'memory' | 'stopped';

/** What a connection asks of the server it belongs to. */
export interface ConnectionHome {
  readonly desk: StreamDesk;
  readonly limits: TcpLimits;
  /** Room for a reply with its length in front, shared by all. */
  readonly room: Buffer;
  readonly idleTimeout: number;
  /** A message came, or something that was waiting left. */
  active(connection: TcpConnection): void;
  /** So many bytes more, or less, are held of messages that are not whole; false when that is too much in all. */
  hold(bytes: number): boolean;
  /** It leaves so many bytes more, or less, unread. `hasCaughtUp`: its client took all, or as much as it may leave. */
  owes(connection: TcpConnection, more: number, hasCaughtUp: boolean): void;
  /** It has messages that can be answered now, when its turn comes. */
  readLater(connection: TcpConnection): void;
  counted(what: 'query' | CloseReason): void;
  gone(connection: TcpConnection): void;
}

const NOTHING = Buffer.alloc(0);

/** One client's connection: messages in, replies out, as many at once as the limits allow (RFC 7766 §6.2.1.1, §7). */
export class TcpConnection implements StreamHandler, StreamClient {
  readonly address: Ip4;
  readonly port: number;
  /** Monotonic milliseconds: of the last message, or of the last time its client had taken all. */
  activeAt: number;
  readonly #home: ConnectionHome;
  readonly #frames = new MessageFrames();
  readonly #waiting: (() => void)[] = [];
  #stream: Stream | undefined;
  #outstanding = 0;
  #held = 0;
  #isPaused = false;
  #hasClientEnded = false;
  #unread = 0;
  /** What its client took since it had last caught up. */
  #taken = 0;

  constructor(home: ConnectionHome, { address, port }: Accepted, now: number) {
    this.#home = home;
    this.address = address;
    this.port = port;
    this.activeAt = now;
  }

  /** To be called with its stream at once. */
  begin(stream: Stream): void {
    this.#stream = stream;
  }

  get idleTimeout(): number {
    return this.#home.idleTimeout;
  }

  /** Nothing is owed to it: neither a reply nor a part of one. */
  get isIdle(): boolean {
    return this.#outstanding === 0 && (this.#stream?.buffered ?? 0) === 0;
  }

  /** Bytes that its client has not taken, as last told. */
  get unread(): number {
    return this.#unread;
  }

  received(bytes: Buffer): void {
    const isGood = this.#frames.push(
      bytes,
      (message) => this.#take(message),
      () => this.#isTooMuch(),
    );
    if (!this.#stream) return;
    if (!isGood) return this.hangUp('junk');
    const more = this.#frames.held - this.#held;
    this.#held = this.#frames.held;
    if (more !== 0 && !this.#home.hold(more)) this.hangUp('memory');
  }

  settled(): void {
    this.#regulate();
  }

  /** Goes on with what had come already when it was too much. */
  readOn(): void {
    if (!this.#stream) return;
    this.received(NOTHING);
    this.#regulate();
    this.#endIfDone();
  }

  /** The client sends no more, and may wait for what it is owed yet. */
  ended(): void {
    this.#hasClientEnded = true;
    this.#endIfDone();
  }

  drained(): void {
    this.#home.active(this);
    for (const go of this.#waiting.splice(0)) go();
    this.#regulate();
    this.#endIfDone();
  }

  closed(): void {
    this.#leave();
  }

  later(): (reply: Uint8Array) => void {
    this.#outstanding++;
    return (reply) => {
      this.#outstanding--;
      if (!this.#stream) return;
      const framed = Buffer.allocUnsafe(FRAME + reply.length);
      framed.writeUInt16BE(reply.length);
      framed.set(reply, FRAME);
      this.#stream.hand(framed);
      this.#regulate();
      this.#endIfDone();
    };
  }

  open(): ReplySink {
    this.#outstanding++;
    const isClosed = (): boolean => this.#stream === undefined;
    const isFull = (): boolean => (this.#stream?.buffered ?? 0) > 0;
    return {
      get isFull() {
        return isFull();
      },
      get isClosed() {
        return isClosed();
      },
      hand: (framed) => (this.#stream?.hand(framed), this.#regulate()),
      whenDrained: (go) => void this.#waiting.push(go),
      done: () => {
        this.#outstanding--;
        this.#regulate();
        this.#endIfDone();
      },
    };
  }

  hangUp(reason: CloseReason): void {
    if (!this.#stream) return;
    this.#home.counted(reason);
    // A client that is thrown out must not leave its connection lingering here
    if (reason === 'idle' || reason === 'stopped') this.#stream.close();
    else this.#stream.reset();
    this.#leave();
  }

  /** False for what no client of DNS sends. */
  #take(message: Buffer): boolean {
    this.#home.counted('query');
    this.#home.active(this);
    const { room, desk } = this.#home;
    // Whoever sends answers here is no client
    const isJunk = ((message[2] ?? 0) & 0x80) !== 0;
    const length = desk.handle(message, this, room.subarray(FRAME));
    if (length === 0) return !isJunk;
    room.writeUInt16BE(length, 0);
    this.#stream?.write(room.subarray(0, FRAME + length));
    return this.#stream !== undefined;
  }

  /** RFC 7766 §6.2.1.1 lets a client send as it likes; one that does not read, or asks for too much at once, is read no more meanwhile. */
  #regulate(): void {
    this.#tellUnread();
    const stream = this.#stream;
    if (!stream) return;
    const { hasRest } = this.#frames;
    const isTooMuch = this.#isTooMuch();
    if (hasRest && !isTooMuch) this.#home.readLater(this);
    const mustPause = hasRest || isTooMuch;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) stream.pause();
    else stream.resume();
  }

  #isTooMuch(): boolean {
    const { outstanding, unread } = this.#home.limits;
    return this.#outstanding >= outstanding || (this.#stream?.buffered ?? 0) > unread;
  }

  #tellUnread(): void {
    const more = (this.#stream?.buffered ?? 0) - this.#unread;
    if (more === 0) return;
    this.#unread += more;
    this.#taken += Math.max(0, -more);
    const hasCaughtUp = this.#unread === 0 || this.#taken >= this.#home.limits.unread;
    if (hasCaughtUp) this.#taken = 0;
    this.#home.owes(this, more, hasCaughtUp);
  }

  #endIfDone(): void {
    if (this.#hasClientEnded && this.#outstanding === 0 && !this.#frames.hasRest) this.#stream?.end();
  }

  #leave(): void {
    if (!this.#stream) return;
    this.#stream = undefined;
    if (this.#held > 0) this.#home.hold(-this.#held);
    this.#held = 0;
    this.#tellUnread();
    this.#home.gone(this);
    for (const go of this.#waiting.splice(0)) go();
  }
}
