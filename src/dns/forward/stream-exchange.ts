import type { Clock } from '../../system/clock.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import type { RandomBits } from '../../system/random-bits.ts';
import type { Stream, StreamHandler } from '../../system/stream.ts';
import { FRAME, MessageFrames } from '../../wire/dns/message-frames.ts';
import type { Exchange, ExchangeWatcher, Repeat, Told } from './exchange.ts';
import { headOf, matchReply } from './match-reply.ts';

/** A connection without questions is closed after so many milliseconds: servers close theirs soon after (RFC 7766 §6.2.3). */
const IDLE = 10_000;
/** Questions on a connection that have no answer yet: as many as are on their way in all. */
const MOST_WAITING = 4_096;
/** Messages on a connection that answer nothing that was ever asked on it: what sends more of them is no server. */
const MOST_JUNK = 8;

interface Waiting {
  readonly message: Buffer;
  readonly take: (told: Told) => void;
  readonly deadline: Timer;
  readonly askedAt: number;
  /** It was sent on a connection that had been there before: the server may have closed that meanwhile. */
  isOnOld: boolean;
}

export interface StreamGround {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly random: RandomBits;
}

/** Asks one upstream over one connection, many questions at once, answered in any order (RFC 7766 §6.2.1.1, §7). */
export class StreamExchange implements Exchange {
  readonly #ground: StreamGround;
  readonly #connect: (handler: StreamHandler) => Stream;
  readonly #watcher: ExchangeWatcher;
  #connection: Connection | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #idle: Timer | undefined;
  #heardAt = 0;
  /** Questions of this connection that were given up: their answers may still come. */
  #owed = 0;
  #junk = 0;

  constructor(ground: StreamGround, connect: (handler: StreamHandler) => Stream, watcher: ExchangeWatcher) {
    this.#ground = ground;
    this.#connect = connect;
    this.#watcher = watcher;
  }

  ask(message: Buffer, withinMilliseconds: number, take: (told: Told) => void): Repeat {
    if (this.#waiting.size >= MOST_WAITING) {
      take({ kind: 'busy' });
      return doNothing;
    }
    let id = this.#ground.random.uint16();
    while (this.#waiting.has(id)) id = this.#ground.random.uint16();
    message.writeUInt16BE(id, 0);
    const deadline = this.#ground.loop.after(withinMilliseconds, () => this.#giveUp(id));
    const askedAt = this.#ground.clock.monotonic();
    const waiting: Waiting = { message, take, deadline, askedAt, isOnOld: false };
    this.#waiting.set(id, waiting);
    this.#send(waiting);
    return doNothing;
  }

  close(): void {
    for (const { deadline } of this.#waiting.values()) deadline.cancel();
    this.#waiting.clear();
    this.#idle?.cancel();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #send(waiting: Waiting): void {
    this.#idle?.cancel();
    this.#idle = undefined;
    waiting.isOnOld = this.#connection?.hasAnswered ?? false;
    this.#connection ??= this.#open();
    this.#connection.send(waiting.message);
  }

  #open(): Connection {
    this.#owed = 0;
    this.#junk = 0;
    return new Connection(this.#connect, {
      received: (bytes) => this.#take(bytes),
      over: (connection, reason) => this.#over(connection, { kind: 'unreachable', reason }),
    });
  }

  #take(bytes: Buffer): void {
    this.#heardAt = this.#ground.clock.monotonic();
    const head = headOf(bytes);
    const waiting = head && this.#waiting.get(head.id);
    if (!waiting) {
      this.#watcher.late();
      return this.#bear(head !== undefined && this.#owed > 0);
    }
    if (matchReply(waiting.message, bytes, head) === 'none') {
      this.#watcher.wrong();
      return this.#bear(false);
    }
    // It can't be forged from afar: its letters need no proof
    this.#settle(head.id, waiting, { kind: 'reply', bytes, head, isSpelled: true });
    this.#rest();
  }

  /** Takes what answers no question that waits. `isOwed`: it may answer one that was given up. */
  #bear(isOwed: boolean): void {
    if (isOwed) this.#owed--;
    else this.#junk++;
    const connection = this.#connection;
    if (this.#junk <= MOST_JUNK || !connection) return;
    connection.close();
    this.#over(connection, { kind: 'unreachable', reason: 'it sent what nobody asked for' });
  }

  #giveUp(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#owed++;
    const connection = this.#connection;
    // Nothing at all has come since it was sent: there may be nobody at the other end any more. That is seen to first: who
    // is told may ask at once. It is no more than silence: names whose servers are dead may be all that was asked for
    if (connection && this.#heardAt <= waiting.askedAt) {
      connection.close();
      this.#over(connection, { kind: 'silent' });
    }
    waiting.take({ kind: 'silent' });
    this.#rest();
  }

  #settle(id: number, waiting: Waiting, told: Told): void {
    this.#waiting.delete(id);
    waiting.deadline.cancel();
    waiting.take(told);
  }

  #rest(): void {
    if (this.#waiting.size > 0 || !this.#connection) return;
    this.#idle?.cancel();
    this.#idle = this.#ground.loop.after(IDLE, () => this.#hangUp());
  }

  #hangUp(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** RFC 7766 §6.2.4: what was asked on a connection that had grown old is asked once more on a new one. */
  #over(connection: Connection, told: Told): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    const unanswered = [...this.#waiting];
    for (const [id, waiting] of unanswered) {
      if (!waiting.isOnOld) this.#settle(id, waiting, told);
    }
    for (const [id, waiting] of unanswered) if (waiting.isOnOld && this.#waiting.has(id)) this.#send(waiting);
  }
}

interface ConnectionOwner {
  /** One whole message, valid only inside. */
  received(bytes: Buffer): void;
  over(connection: Connection, reason: string): void;
}

/** Messages, each behind its length (RFC 1035 §4.2.2), on one stream. */
class Connection implements StreamHandler {
  readonly #owner: ConnectionOwner;
  readonly #stream: Stream;
  readonly #frames = new MessageFrames();
  #isClosed = false;
  hasAnswered = false;

  constructor(connect: (handler: StreamHandler) => Stream, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#stream = connect(this);
  }

  send(message: Buffer): void {
    const framed = Buffer.alloc(FRAME + message.length);
    framed.writeUInt16BE(message.length);
    framed.set(message, FRAME);
    this.#stream.hand(framed);
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
  }

  received(bytes: Buffer): void {
    this.hasAnswered = true;
    const isWhole = this.#frames.push(bytes, (message) => {
      this.#owner.received(message);
      // What was told may have ended it
      return !this.#isClosed;
    });
    if (!isWhole && !this.#isClosed) this.#fail('it sent something else than DNS');
  }

  ended(): void {
    this.#fail('it hung up');
  }

  drained(): void {
    // Questions are small, and few wait
  }

  closed(_stream: Stream, error = 'it hung up'): void {
    this.#isClosed = true;
    this.#owner.over(this, error);
  }

  #fail(reason: string): void {
    this.close();
    this.#owner.over(this, reason);
  }
}

function doNothing(): void {
  // A stream loses nothing
}
