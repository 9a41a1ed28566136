import { arch } from 'node:os';

import type { Clock } from './clock.ts';
import { checked, lastError, SystemCallError, type Libc } from './libc.ts';
import type { Loop, Timer } from './loop.ts';
import { TimerHeap } from './timer-heap.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** struct epoll_event { uint32 events; uint64 data }: packed on x86-64 only. */
const EVENT_SIZE = arch() === 'x64' ? 12 : 16;
const DATA_OFFSET = EVENT_SIZE - 8;
const MAX_EVENTS = 256;
const LONGEST_WAIT = 60_000;
/** From so many on, cancelled timers are cleared away when they are the most. */
const MANY_CANCELLED = 1024;

interface PendingTimer extends Timer {
  readonly fire: () => void;
  cancelled: boolean;
}

/**
 * The loop of a thread that blocks in `epoll_wait`: descriptors, timers, nothing else. Promises never settle on
 * it, as control never returns to Node while `run` runs.
 */
export class PollLoop implements Loop {
  readonly #libc: Libc;
  readonly #clock: Clock;
  readonly #epoll: number;
  readonly #handlers = new Map<number, () => void>();
  readonly #timers = new TimerHeap<PendingTimer>();
  readonly #events = Buffer.alloc(EVENT_SIZE * MAX_EVENTS);
  readonly #bed = new Int32Array(new SharedArrayBuffer(4));
  /** Of those in `#timers`. */
  #cancelled = 0;
  #rest = 0;
  #running = false;

  constructor(libc: Libc, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#epoll = checked('epoll_create1', libc.epoll_create1(EPOLL_CLOEXEC));
  }

  watch(fd: number, handle: () => void): { close(): void } {
    checked('epoll_ctl', this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, readableEvent(fd)));
    this.#handlers.set(fd, handle);
    return {
      close: () => {
        if (this.#handlers.get(fd) !== handle) return;
        this.#handlers.delete(fd);
        this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, readableEvent(fd));
      },
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
    this.#libc.close(this.#epoll);
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
    const ready = this.#libc.epoll_wait(this.#epoll, this.#events, MAX_EVENTS, milliseconds);
    if (ready < 0) {
      const error = lastError();
      if (error !== 'EINTR') throw new SystemCallError('epoll_wait', error);
    }
    for (let i = 0; i < ready && this.#running; i++) {
      // A handler may have closed a descriptor that is later in this very list
      this.#handlers.get(this.#events.readInt32LE(i * EVENT_SIZE + DATA_OFFSET))?.();
    }
  }
}

function readableEvent(fd: number): Uint8Array {
  const event = Buffer.alloc(EVENT_SIZE);
  event.writeUInt32LE(EPOLLIN, 0);
  event.writeInt32LE(fd, DATA_OFFSET);
  return event;
}
