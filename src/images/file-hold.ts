/** Checksums of files that are wanted. */
export class FileHold implements Disposable {
  readonly #held: Set<string>;
  readonly #release: () => void;

  constructor(held: Set<string>, release: () => void) {
    this.#held = held;
    this.#release = release;
  }

  add(...sums: readonly string[]): void {
    for (const sha256 of sums) this.#held.add(sha256);
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
