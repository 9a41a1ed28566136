/** Does one thing after the other: who waits for a lock of the database holds one of few connections meanwhile. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    // Whether it went well is told to whoever asked for it
    this.#last = next.catch(() => undefined);
    return next;
  }
}
