/** Racks that wait for a newer plan, in this process. */
export class PlanWaiters {
  readonly #waiting = new Map<string, Set<() => void>>();
  #isClosed = false;

  /** Calls back once, when `rack` may have a newer plan, unless it is called off by what it gives. */
  wait(rack: string, wake: () => void): () => void {
    if (this.#isClosed) {
      wake();
      return () => undefined;
    }
    const all = this.#waiting.get(rack) ?? new Set();
    this.#waiting.set(rack, all);
    all.add(wake);
    return () => {
      all.delete(wake);
      if (all.size === 0 && this.#waiting.get(rack) === all) this.#waiting.delete(rack);
    };
  }

  wake(rack: string): void {
    const all = this.#waiting.get(rack) ?? [];
    this.#waiting.delete(rack);
    for (const wake of all) wake();
  }

  /** When it is not known whose plan is newer. */
  wakeAll(): void {
    for (const rack of this.#waiting.keys()) this.wake(rack);
  }

  /** As this process ends: nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    this.wakeAll();
  }
}
