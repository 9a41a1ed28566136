import type { Ip4 } from '../../addr/ip4.ts';
import type { Counters } from '../../service/letters.ts';
import { Tally } from '../../service/tally.ts';
import type { Clock } from '../../system/clock.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import type { Accepted, StreamAcceptor } from '../../system/stream.ts';
import { FRAME, MAX_MESSAGE } from '../../wire/dns/message-frames.ts';
import type { StreamDesk } from './stream-client.ts';
import { TcpConnection, type CloseReason, type ConnectionHome } from './tcp-connection.ts';
import { idleTimeout, TCP_LIMITS, type TcpLimits } from './tcp-limits.ts';

/** Connections taken in before the rest of the loop has its turn. */
const MOST_ACCEPTED = 64;
/** How often idle connections are looked for. */
const LOOK = 500;
/** Milliseconds of the thread for what had come when it was too much, before all else has its turn. */
const TURN = 1;
/** How long nobody is let in when there are no descriptors and nobody can be asked to leave. */
const FULL_PAUSE = 100;
/** There is no room for another descriptor, here or in the whole system. */
const NO_ROOM: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
/** accept(2): the connection ended before it was taken in, or the network was in trouble: the next may be well. */
const PASSING: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'EINTR',
  'EPROTO',
  'ENETDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** What a TCP server is built from. */
export interface TcpServerContext {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly streams: StreamAcceptor;
  readonly desk: StreamDesk;
  readonly limits?: TcpLimits;
}

/**
 * DNS over TCP (RFC 7766). Whoever is idle longest makes room for who comes: a flood of idle connections shuts nobody out,
 * neither the flood of one client nor that of many.
 */
export class TcpServer implements ConnectionHome {
  readonly desk: StreamDesk;
  readonly limits: TcpLimits;
  readonly room = Buffer.alloc(FRAME + MAX_MESSAGE);
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #streams: StreamAcceptor;
  readonly #tally = new Tally();
  /** By when they were last active, the longest ago first; of each client likewise. */
  readonly #connections = new Set<TcpConnection>();
  readonly #clients = new Map<Ip4, Set<TcpConnection>>();
  /** Those that leave something unread, and since when they have not caught up, the longest first. */
  readonly #owing = new Map<TcpConnection, number>();
  /** Those that can read on. */
  readonly #ready = new Set<TcpConnection>();
  #turn: Timer | undefined;
  #unsent = 0;
  #partial = 0;
  #look: Timer | undefined;

  constructor({ loop, clock, streams, desk, limits = TCP_LIMITS }: TcpServerContext) {
    this.#loop = loop;
    this.#clock = clock;
    this.#streams = streams;
    this.desk = desk;
    this.limits = limits;
  }

  /** Takes in who comes to a listening socket, until the returned handle is closed. */
  listen(fd: number): { close(): void } {
    const open: { end?: () => void } = {};
    const begin = (): void => {
      const watch = this.#loop.watch(fd, () => {
        if (this.#acceptSome(fd)) return;
        watch.close();
        const pause = this.#loop.after(FULL_PAUSE, begin);
        open.end = () => pause.cancel();
      });
      open.end = () => watch.close();
    };
    begin();
    return { close: () => open.end?.() };
  }

  get idleTimeout(): number {
    return idleTimeout(this.limits, this.#connections.size);
  }

  active(connection: TcpConnection): void {
    connection.activeAt = this.#clock.monotonic();
    const ofClient = this.#clients.get(connection.address);
    // To the end of both
    for (const set of [this.#connections, ofClient]) if (set?.delete(connection)) set.add(connection);
  }

  hold(bytes: number): boolean {
    this.#partial += bytes;
    return bytes <= 0 || this.#partial <= this.limits.partial;
  }

  owes(connection: TcpConnection, more: number, hasCaughtUp: boolean): void {
    this.#unsent += more;
    if (hasCaughtUp) this.#owing.delete(connection);
    if (connection.unread > 0 && !this.#owing.has(connection)) this.#owing.set(connection, this.#clock.monotonic());
    if (more > 0) this.#shed();
  }

  readLater(connection: TcpConnection): void {
    this.#ready.add(connection);
    this.#turn ??= this.#loop.after(0, () => this.#readOn());
  }

  counted(what: 'query' | CloseReason): void {
    this.#tally.add(what === 'query' ? 'tcp.queries' : `tcp.closed.${what}`);
  }

  gone(connection: TcpConnection): void {
    this.#connections.delete(connection);
    this.#ready.delete(connection);
    const ofClient = this.#clients.get(connection.address);
    ofClient?.delete(connection);
    if (ofClient?.size === 0) this.#clients.delete(connection.address);
  }

  counters(): Counters {
    return { ...this.#tally.read(), 'tcp.open': this.#connections.size, 'tcp.unsent': this.#unsent };
  }

  close(): void {
    this.#look?.cancel();
    this.#look = undefined;
    this.#turn?.cancel();
    this.#turn = undefined;
    for (const connection of this.#connections) connection.hangUp('stopped');
  }

  /** False when there are no descriptors, and nobody who could be asked to give one back. */
  #acceptSome(fd: number): boolean {
    for (let i = 0; i < MOST_ACCEPTED; i++) {
      const accepted = this.#streams.accept(fd);
      if (typeof accepted !== 'string') this.#admit(accepted);
      else if (NO_ROOM.has(accepted)) {
        this.#tally.add('tcp.no-descriptors');
        if (!hangUpOldest(this.#connections)) return false;
      } else if (!PASSING.has(accepted)) return true;
    }
    return true;
  }

  #admit(accepted: Accepted): void {
    const ofClient = this.#clients.get(accepted.address) ?? new Set();
    if (!this.#hasRoom(ofClient)) {
      this.#tally.add('tcp.refused');
      return this.#streams.refuse(accepted);
    }
    const connection = new TcpConnection(this, accepted, this.#clock.monotonic());
    this.#connections.add(connection);
    ofClient.add(connection);
    this.#clients.set(accepted.address, ofClient);
    connection.begin(this.#streams.adopt(accepted, connection));
    this.#tally.add('tcp.accepted');
    this.#look ??= this.#loop.after(LOOK, () => this.#lookForIdle());
  }

  #hasRoom(ofClient: Set<TcpConnection>): boolean {
    if (ofClient.size >= this.limits.perClient && !hangUpOldest(ofClient)) return false;
    return this.#connections.size < this.limits.connections || hangUpOldest(this.#connections);
  }

  /** Who has not caught up for longest makes room for what others are sent. */
  #shed(): void {
    for (const connection of this.#owing.keys()) {
      if (this.#unsent <= this.limits.unsent) return;
      connection.hangUp('unread');
    }
  }

  #readOn(): void {
    this.#turn = undefined;
    const end = this.#clock.monotonic() + TURN;
    for (const connection of this.#ready) {
      this.#ready.delete(connection);
      connection.readOn();
      if (this.#clock.monotonic() >= end) break;
    }
    if (this.#ready.size > 0) this.#turn ??= this.#loop.after(0, () => this.#readOn());
  }

  #lookForIdle(): void {
    const now = this.#clock.monotonic();
    for (const [connection, since] of this.#owing) {
      if (now - since < this.limits.idle) break;
      connection.hangUp('stuck');
    }
    for (const connection of this.#connections) {
      if (now - connection.activeAt < this.idleTimeout) break;
      if (connection.isIdle) connection.hangUp('idle');
      else if (now - connection.activeAt >= this.limits.idle && !this.#owing.has(connection))
        connection.hangUp('stuck');
    }
    this.#look = this.#connections.size === 0 ? undefined : this.#loop.after(LOOK, () => this.#lookForIdle());
  }
}

/** Hangs up on who is idle longest; false when nobody is. */
function hangUpOldest(connections: Iterable<TcpConnection>): boolean {
  for (const connection of connections) {
    if (!connection.isIdle) continue;
    connection.hangUp('crowded');
    return true;
  }
  return false;
}
