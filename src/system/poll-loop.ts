import { arch } from 'node:os';

import type { Clock } from './clock.ts';
import { checked, lastError, SystemCallError, type Libc } from './libc.ts';
import type { DuplexLoop, DuplexWatch, Readiness, Timer } from './loop.ts';
import { TimerHeap } from './timer-heap.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLOUT = 4;
/** EPOLLERR and EPOLLHUP: told whether asked for or not. */
const EPOLLOVER = 8 | 16;
/** struct epoll_event { uint32 events; uint64 data }: packed on x86-64 only. */
const EVENT_SIZE = arch() === 'x64' ? 12 : 16;
const DATA_OFFSET = EVENT_SIZE - 8;
const MAX_EVENTS = 256;
const LONGEST_WAIT = 60_000;
/** Milliseconds that streams are served before all else has its turn, and how many of them are asked for at once. */
const STREAMS_TURN = 1;
const MOST_STREAMS = 8;
/** From so many on, cancelled timers are cleared away when they are the most. */
const MANY_CANCELLED = 1024;

interface Watched {
  readonly epoll: number;
  readonly fd: number;
  /** Tells it from what had the descriptor's number before: epoll may still report that one. */
  readonly turn: number;
  readonly handle: (events: number) => void;
}

interface PendingTimer extends Timer {
  readonly fire: () => void;
  cancelled: boolean;
}

/**
 * The loop of a thread that blocks in `epoll_wait`: descriptors, timers, nothing else. Promises never settle on
 * it, as control never returns to Node while `run` runs. Streams come last and for a moment only, as one client fills as many
 * as it likes: they stand in a set of their own, in which the kernel keeps whose turn is next.
 */
export class PollLoop implements DuplexLoop {
  readonly #libc: Libc;
  readonly #clock: Clock;
  readonly #epoll: number;
  readonly #streams: number;
  #areStreamsReady = false;
  readonly #watched = new Map<number, Watched>();
  readonly #timers = new TimerHeap<PendingTimer>();
  readonly #events = Buffer.alloc(EVENT_SIZE * MAX_EVENTS);
  readonly #bed = new Int32Array(new SharedArrayBuffer(4));
  readonly #event = Buffer.alloc(EVENT_SIZE);
  #turns = 0;
  /** Of those in `#timers`. */
  #cancelled = 0;
  #rest = 0;
  #running = false;

  constructor(libc: Libc, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#epoll = checked('epoll_create1', libc.epoll_create1(EPOLL_CLOEXEC));
    this.#streams = checked('epoll_create1', libc.epoll_create1(EPOLL_CLOEXEC));
    this.#add(this.#epoll, this.#streams, () => (this.#areStreamsReady = true));
  }

  watch(fd: number, handle: () => void): { close(): void } {
    const watched = this.#add(this.#epoll, fd, handle);
    return { close: () => this.#remove(watched) };
  }

  watchDuplex(fd: number, handle: (ready: Readiness) => void): DuplexWatch {
    const watched = this.#add(this.#streams, fd, (events) => handle(readiness(events)));
    let wanted = EPOLLIN;
    return {
      want: (readable, writable) => {
        const events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
        if (events === wanted || this.#watched.get(fd) !== watched) return;
        checked('epoll_ctl', this.#control(EPOLL_CTL_MOD, watched, events));
        wanted = events;
      },
      close: () => this.#remove(watched),
    };
  }

  after(milliseconds: number, fire: () => void): Timer {
    const timer: PendingTimer = {
      fire,
      cancelled: false,
      cancel: () => this.#cancel(timer),
    };
    this.#timers.push(this.#clock.monotonic() + milliseconds, timer);
    return timer;
  }

  /** How many timers are kept, some of them cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Sleeps so long before it looks at its descriptors again, so that more waits in them. */
  rest(milliseconds: number): void {
    this.#rest = milliseconds;
  }

  /** Runs until `stop`. What a handler throws ends the loop and comes out here. */
  run(): void {
    this.#running = true;
    while (this.#running) {
      this.#fireTimers();
      if (this.#rest > 0) this.#sleep();
      if (this.#running) this.#pollOnce(this.#wait());
    }
  }

  stop(): void {
    this.#running = false;
  }

  close(): void {
    this.#libc.close(this.#streams);
    this.#libc.close(this.#epoll);
  }

  #add(epoll: number, fd: number, handle: (events: number) => void): Watched {
    this.#turns = (this.#turns + 1) | 0;
    const watched = { epoll, fd, turn: this.#turns, handle };
    checked('epoll_ctl', this.#control(EPOLL_CTL_ADD, watched, EPOLLIN));
    this.#watched.set(fd, watched);
    return watched;
  }

  #remove(watched: Watched): void {
    if (this.#watched.get(watched.fd) !== watched) return;
    this.#watched.delete(watched.fd);
    this.#control(EPOLL_CTL_DEL, watched, 0);
  }

  #control(operation: number, { epoll, fd, turn }: Watched, events: number): number {
    this.#event.writeUInt32LE(events, 0);
    this.#event.writeInt32LE(fd, DATA_OFFSET);
    this.#event.writeInt32LE(turn, DATA_OFFSET + 4);
    return this.#libc.epoll_ctl(epoll, operation, fd, this.#event);
  }

  #fireTimers(): void {
    const now = this.#clock.monotonic();
    while (this.#running) {
      const timer = this.#timers.popDue(now);
      if (!timer) return;
      if (timer.cancelled) this.#cancelled--;
      else this.#fire(timer);
    }
  }

  #fire(timer: PendingTimer): void {
    // It is in the heap no more: to cancel it is to do nothing
    timer.cancelled = true;
    timer.fire();
  }

  /** A timer may be due minutes from now, and what it would do holds on to what it is about: most are cancelled before. */
  #cancel(timer: PendingTimer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#cancelled++;
    if (this.#cancelled < MANY_CANCELLED || this.#cancelled * 2 < this.#timers.size) return;
    this.#timers.retain(({ cancelled }) => !cancelled);
    this.#cancelled = 0;
  }

  #sleep(): void {
    Atomics.wait(this.#bed, 0, 0, this.#rest);
    this.#rest = 0;
  }

  /** Milliseconds until the next timer, rounded up so that none is found too early. */
  #wait(): number {
    const due = this.#timers.earliest;
    if (due === undefined) return LONGEST_WAIT;
    return Math.min(LONGEST_WAIT, Math.max(0, Math.ceil(due - this.#clock.monotonic())));
  }

  #pollOnce(milliseconds: number): void {
    this.#serve(this.#epoll, MAX_EVENTS, milliseconds);
    if (!this.#areStreamsReady) return;
    this.#areStreamsReady = false;
    const end = this.#clock.monotonic() + STREAMS_TURN;
    while (this.#serve(this.#streams, MOST_STREAMS, 0) === MOST_STREAMS && this.#clock.monotonic() < end);
  }

  /** Calls the handlers of what is ready in a set; returns how many there were. */
  #serve(epoll: number, most: number, milliseconds: number): number {
    if (!this.#running) return 0;
    const ready = this.#libc.epoll_wait(epoll, this.#events, most, milliseconds);
    if (ready < 0) {
      const error = lastError();
      if (error !== 'EINTR') throw new SystemCallError('epoll_wait', error);
    }
    for (let i = 0; i < ready && this.#running; i++) this.#dispatch(i * EVENT_SIZE);
    return ready;
  }

  /** A handler may have closed a descriptor that is later in this very list, and opened another of its number. */
  #dispatch(at: number): void {
    const watched = this.#watched.get(this.#events.readInt32LE(at + DATA_OFFSET));
    const turn = this.#events.readInt32LE(at + DATA_OFFSET + 4);
    if (watched?.turn === turn) watched.handle(this.#events.readUInt32LE(at));
  }
}

function readiness(events: number): Readiness {
  return {
    readable: (events & EPOLLIN) !== 0,
    writable: (events & EPOLLOUT) !== 0,
    over: (events & EPOLLOVER) !== 0,
  };
}
