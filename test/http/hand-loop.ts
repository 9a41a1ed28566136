import type { Clock } from '../../src/system/clock.ts';

interface Due {
  readonly at: number;
  readonly fire: () => void;
}

/** Time and a loop that move only by hand. */
export class HandLoop {
  #now = 0;
  #due: Due[] = [];
  #deferred: (() => void)[] = [];

  readonly clock: Clock = { now: () => this.#now, monotonic: () => this.#now };

  readonly defer = (callback: () => void): void => void this.#deferred.push(callback);

  after(milliseconds: number, fire: () => void): { cancel: () => void } {
    const due = { at: this.#now + milliseconds, fire };
    this.#due.push(due);
    return { cancel: () => void (this.#due = this.#due.filter((other) => other !== due)) };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#due.length;
  }

  /** What Node would do before its next look at the sockets. */
  settle(): void {
    while (this.#deferred.length > 0) for (const callback of this.#deferred.splice(0)) callback();
  }

  /** One round of what was deferred. */
  round(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  /** Time passes, a millisecond at a time; `each` after every one. */
  pass(milliseconds: number, each: () => void = () => undefined): void {
    const end = this.#now + milliseconds;
    while (this.#now < end) {
      this.#now++;
      const due = this.#due.filter(({ at }) => at <= this.#now);
      this.#due = this.#due.filter(({ at }) => at > this.#now);
      for (const { fire } of due) fire();
      each();
      this.settle();
    }
  }
}
