import type { Clock } from '../../src/system/clock.ts';
import type { Loop, Timer } from '../../src/system/loop.ts';

interface Pending {
  readonly due: number;
  readonly fire: () => void;
}

/** A clock and its loop: time stands still until `pass` moves it, and a descriptor is ready when a test says so. */
export class HandTime implements Clock, Loop {
  /** Not a whole second: rounding must show. */
  #wall = 1_700_000_000_300;
  #elapsed = 5_000;
  readonly #timers = new Set<Pending>();
  readonly #watched = new Map<number, () => void>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  get seconds(): number {
    return this.#wall / 1000;
  }

  get watched(): readonly number[] {
    return [...this.#watched.keys()];
  }

  get timers(): number {
    return this.#timers.size;
  }

  watch(fd: number, handle: () => void): { close(): void } {
    if (this.#watched.has(fd)) throw new Error(`descriptor ${fd} is watched already`);
    this.#watched.set(fd, handle);
    return { close: () => void this.#watched.delete(fd) };
  }

  after(milliseconds: number, fire: () => void): Timer {
    const timer = { due: this.#elapsed + milliseconds, fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  ready(fd: number): void {
    const handle = this.#watched.get(fd);
    if (!handle) throw new Error(`nobody watches descriptor ${fd}`);
    handle();
  }

  /** Someone sets the wall clock, by so many seconds; no time passes. */
  setWall(by: number): void {
    this.#wall += by * 1000;
  }

  /** Lets time pass, timers firing in their order. */
  pass(time: number, unit: 'seconds' | 'milliseconds' = 'seconds'): void {
    const end = this.#elapsed + (unit === 'seconds' ? time * 1000 : time);
    for (let next = this.#first(end); next; next = this.#first(end)) {
      this.#timers.delete(next);
      this.#moveTo(Math.max(this.#elapsed, next.due));
      next.fire();
    }
    this.#moveTo(end);
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  #first(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#timers) if (timer.due <= end && (!first || timer.due < first.due)) first = timer;
    return first;
  }
}
