import type { Ip4 } from '../../addr/ip4.ts';
import { SystemCallError } from '../../system/libc.ts';
import type { Clock } from '../../system/clock.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import type { PeerSocket } from '../../system/peer-socket.ts';
import type { RandomBits } from '../../system/random-bits.ts';
import type { DatagramExchange, ExchangeWatcher, Repeat, Told } from './exchange.ts';
import { headOf, matchReply } from './match-reply.ts';

/** Ports that are open at once for new questions; who wants to forge an answer must hit the right one. */
const POOL = 16;
/** Questions that leave from a port before it is given up: who finds an open port can use it for few. */
const QUESTIONS_A_PORT = 32;
/** Ports beside those at once: bounds the sockets. */
const MOST_ALONE = 1_024;
/** Milliseconds. */
const OLDEST_PORT = 10_000;

/** Opens sockets that hear one peer. */
export interface PeerOpener {
  /** Throws SystemCallError. */
  open(address: Ip4, port: number): PeerSocket;
}

export interface ExchangeGround {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly random: RandomBits;
  readonly peers: PeerOpener;
}

interface Waiting {
  readonly message: Buffer;
  readonly take: (told: Told) => void;
  timer: Timer | undefined;
  isSettled: boolean;
}

interface OpenPort {
  readonly socket: PeerSocket;
  readonly openedAt: number;
  /** By id; settled ones too, so that an answer after its time is not taken for a forged one. */
  readonly asked: Map<number, Waiting>;
  watch: { close(): void };
  unsettled: number;
  isRetired: boolean;
}

/** Asks one upstream by UDP, from ports and with ids that nobody can foretell (RFC 5452 §9). */
export class UdpExchange implements DatagramExchange {
  readonly #ground: ExchangeGround;
  readonly #address: Ip4;
  readonly #port: number;
  readonly #watcher: ExchangeWatcher;
  readonly #pool = new Map<number, OpenPort>();
  readonly #retired = new Set<OpenPort>();

  constructor(ground: ExchangeGround, to: { readonly address: Ip4; readonly port: number }, watcher: ExchangeWatcher) {
    this.#ground = ground;
    this.#address = to.address;
    this.#port = to.port;
    this.#watcher = watcher;
  }

  ask(message: Buffer, withinMilliseconds: number, take: (told: Told) => void): Repeat {
    return this.#askFrom(this.#anyPort(), message, withinMilliseconds, take);
  }

  askAlone(message: Buffer, withinMilliseconds: number, take: (told: Told) => void): Repeat {
    if (this.#retired.size >= MOST_ALONE) return this.ask(message, withinMilliseconds, take);
    const port = this.#open();
    const repeat = this.#askFrom(port, message, withinMilliseconds, take);
    if (typeof port !== 'string') this.#retire(port);
    return repeat;
  }

  #askFrom(port: OpenPort | string, message: Buffer, within: number, take: (told: Told) => void): Repeat {
    if (typeof port === 'string') {
      take({ kind: 'unreachable', reason: port });
      return doNothing;
    }
    const id = this.#freeId(port);
    message.writeUInt16BE(id, 0);
    const waiting: Waiting = { message, take, timer: undefined, isSettled: false };
    port.asked.set(id, waiting);
    port.unsettled++;
    // Before it is sent: those that can't be are counted too
    if (port.asked.size >= QUESTIONS_A_PORT) this.#retire(port);
    if (port.socket.send(message)) this.#await(port, waiting, within);
    else this.#settle(port, waiting, { kind: 'unreachable', reason: 'no way to it' });
    return (again) => this.#repeat(port, waiting, again);
  }

  close(): void {
    for (const port of [...this.#pool.values(), ...this.#retired]) {
      for (const waiting of port.asked.values()) {
        waiting.timer?.cancel();
        waiting.isSettled = true;
      }
      closePort(port);
    }
    this.#pool.clear();
    this.#retired.clear();
  }

  #await(port: OpenPort, waiting: Waiting, milliseconds: number): void {
    waiting.timer?.cancel();
    waiting.timer = this.#ground.loop.after(milliseconds, () => this.#settle(port, waiting, { kind: 'silent' }));
  }

  #repeat(port: OpenPort, waiting: Waiting, milliseconds: number): void {
    if (waiting.isSettled) return;
    // Where it can't be sent, the one before it may have been
    port.socket.send(waiting.message);
    this.#await(port, waiting, milliseconds);
  }

  /** A port of the pool, any one; why there is none otherwise. */
  #anyPort(): OpenPort | string {
    const place = this.#ground.random.uint16() % POOL;
    const port = this.#pool.get(place);
    if (port && this.#ground.clock.monotonic() - port.openedAt < OLDEST_PORT) return port;
    if (port) this.#retire(port);
    const opened = this.#open();
    if (typeof opened !== 'string') this.#pool.set(place, opened);
    return opened;
  }

  /** A new port; why there is none otherwise. */
  #open(): OpenPort | string {
    const { loop, clock } = this.#ground;
    const socket = this.#openSocket();
    if (typeof socket === 'string') return socket;
    const port: OpenPort = {
      socket,
      openedAt: clock.monotonic(),
      asked: new Map(),
      watch: loop.watch(socket.fd, () => this.#receive(port)),
      unsettled: 0,
      isRetired: false,
    };
    return port;
  }

  #openSocket(): PeerSocket | string {
    try {
      return this.#ground.peers.open(this.#address, this.#port);
    } catch (error) {
      if (error instanceof SystemCallError) return error.message;
      throw error;
    }
  }

  #freeId({ asked }: OpenPort): number {
    let id = this.#ground.random.uint16();
    while (asked.has(id)) id = this.#ground.random.uint16();
    return id;
  }

  #receive(port: OpenPort): void {
    const received = port.socket.receive((bytes) => this.#take(port, bytes));
    if (received !== 'refused') return;
    // ICMP says so for all that left from here
    this.#retire(port);
    for (const waiting of port.asked.values()) {
      this.#settle(port, waiting, { kind: 'unreachable', reason: 'nobody listens there' });
    }
  }

  #take(port: OpenPort, bytes: Buffer): void {
    const head = headOf(bytes);
    const waiting = head && port.asked.get(head.id);
    const match = waiting ? matchReply(waiting.message, bytes, head) : 'none';
    // RFC 5452 §9.1: what does not fit the question is as if it had not come
    if (!waiting || match === 'none') return this.#watcher.wrong();
    if (waiting.isSettled) return this.#watcher.late();
    this.#settle(port, waiting, { kind: 'reply', bytes, head, isSpelled: match === 'same' });
  }

  #settle(port: OpenPort, waiting: Waiting, told: Told): void {
    if (waiting.isSettled) return;
    waiting.isSettled = true;
    waiting.timer?.cancel();
    port.unsettled--;
    if (port.isRetired && port.unsettled === 0) this.#forget(port);
    waiting.take(told);
  }

  /** It takes no new question, and is closed when the last one is settled. */
  #retire(port: OpenPort): void {
    if (port.isRetired) return;
    port.isRetired = true;
    for (const [place, other] of this.#pool) if (other === port) this.#pool.delete(place);
    if (port.unsettled === 0) closePort(port);
    else this.#retired.add(port);
  }

  #forget(port: OpenPort): void {
    this.#retired.delete(port);
    closePort(port);
  }
}

function closePort(port: OpenPort): void {
  port.watch.close();
  port.socket.close();
}

function doNothing(): void {
  // There is no port
}
