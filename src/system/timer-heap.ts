/** Values in the order of their due times: a binary heap, earliest first. */
export class TimerHeap<T> {
  readonly #due: number[] = [];
  readonly #values: T[] = [];

  get size(): number {
    return this.#values.length;
  }

  /** When the earliest value is due; undefined when empty. */
  get earliest(): number | undefined {
    return this.#due[0];
  }

  push(due: number, value: T): void {
    let hole = this.#values.length;
    this.#due.push(due);
    this.#values.push(value);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if ((this.#due[parent] as number) <= due) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#due[hole] = due;
    this.#values[hole] = value;
  }

  /** Takes the earliest value when it is due at `now`. */
  popDue(now: number): T | undefined {
    const first = this.#due[0];
    if (first === undefined || first > now) return undefined;
    const value = this.#values[0];
    const due = this.#due.pop() as number;
    const last = this.#values.pop() as T;
    if (this.#values.length > 0) this.#sink(due, last);
    return value;
  }

  /** Drops the values that are not `wanted`. */
  retain(wanted: (value: T) => boolean): void {
    const [due, values] = [this.#due.splice(0), this.#values.splice(0)];
    for (const [i, value] of values.entries()) if (wanted(value)) this.push(due[i] as number, value);
  }

  #sink(due: number, value: T): void {
    const size = this.#values.length;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && (this.#due[child + 1] as number) < (this.#due[child] as number)) child++;
      if ((this.#due[child] as number) >= due) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#due[hole] = due;
    this.#values[hole] = value;
  }

  #move(from: number, to: number): void {
    this.#due[to] = this.#due[from] as number;
    this.#values[to] = this.#values[from] as T;
  }
}
