import type { Clock } from '../../src/system/clock.ts';
import type { Loop, Timer } from '../../src/system/loop.ts';

interface Pending {
  readonly due: number;
  readonly fire: () => void;
}

/** A clock and its timers, which stand still until a test lets time pass; what promises bring about is waited for on the way. */
export class SlowTime implements Clock, Pick<Loop, 'after'> {
  #wall = 1_700_000_000_000;
  #elapsed = 1_000;
  readonly #timers = new Set<Pending>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, fire: () => void): Timer {
    const timer = { due: this.#elapsed + Math.max(0, milliseconds), fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  watch(): never {
    throw new Error('nothing is watched here');
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settled();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#move(next.due - this.#elapsed);
      next.fire();
      await settled();
    }
    this.#move(end - this.#elapsed);
  }

  setWall(by: number): void {
    this.#wall += by;
  }

  #next(end: number): Pending | undefined {
    const due = [...this.#timers].filter((timer) => timer.due <= end);
    return due.toSorted((a, b) => a.due - b.due)[0];
  }

  #move(by: number): void {
    if (by <= 0) return;
    this.#elapsed += by;
    this.#wall += by;
  }
}

/** All that promises have to do is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
