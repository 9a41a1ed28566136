import assert from 'node:assert/strict';
import type { Clock } from '../../src/system/clock.ts';
import type { Loop, Timer } from '../../src/system/loop.ts';

interface Pending {
  readonly due: number;
  readonly fire: () => void;
}

/** A loop and its clock, which both stand still until the test moves them. */
export class FakeLoop implements Loop, Clock {
  #time = 1000;
  readonly #timers = new Set<Pending>();
  readonly #watched = new Map<number, () => void>();

  now(): number {
    return 1_700_000_000_000 + this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  watch(fd: number, handle: () => void): { close(): void } {
    assert.ok(!this.#watched.has(fd), `descriptor ${fd} is watched already`);
    this.#watched.set(fd, handle);
    return { close: () => this.#watched.delete(fd) };
  }

  after(milliseconds: number, fire: () => void): Timer {
    const timer = { due: this.#time + milliseconds, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  get watched(): readonly number[] {
    return [...this.#watched.keys()];
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** `fd` has something to read; nothing happens when nobody watches it. */
  ready(fd: number): void {
    this.#watched.get(fd)?.();
  }

  /** Lets time pass, timers firing in their order. */
  advance(milliseconds: number): void {
    const end = this.#time + milliseconds;
    for (let next = this.#firstDue(end); next; next = this.#firstDue(end)) {
      this.#timers.delete(next);
      this.#time = Math.max(this.#time, next.due);
      next.fire();
    }
    this.#time = end;
  }

  #firstDue(end: number): Pending | undefined {
    const due = [...this.#timers].filter((timer) => timer.due <= end);
    return due.toSorted((a, b) => a.due - b.due)[0];
  }
}
