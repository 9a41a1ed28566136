/** A member of a list; it is in one at most. */
export class Linked {
  older: Linked | undefined;
  newer: Linked | undefined;
}

/** Members in the order in which they were last heard of. All that is done costs the same, however many there are. */
export class RecentList<T extends Linked> {
  #oldest: T | undefined;
  #newest: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): T | undefined {
    return this.#oldest;
  }

  /** `member` is in no list. */
  add(member: T): void {
    member.older = this.#newest;
    member.newer = undefined;
    if (this.#newest) this.#newest.newer = member;
    else this.#oldest = member;
    this.#newest = member;
    this.#size++;
  }

  /** `member` is in this list. */
  remove(member: T): void {
    const { older, newer } = member as { older: T | undefined; newer: T | undefined };
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    member.older = undefined;
    member.newer = undefined;
    this.#size--;
  }

  /** `member`, of this list, was heard of again. */
  touch(member: T): void {
    if (member === this.#newest) return;
    this.remove(member);
    this.add(member);
  }

  *[Symbol.iterator](): Generator<T> {
    for (let member = this.#oldest; member; member = member.newer as T | undefined) yield member;
  }
}
