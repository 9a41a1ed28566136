import { hashSecret } from './secret-hash.ts';

const MOST_KEYS = 10_000;

/** Keys that were right of late: who has one is heard although others guess from the same address, as behind a balancer all do. */
export class ProvenKeys {
  readonly #signs = new Set<string>();

  /** All of the key: of it no more than a hash is kept. */
  has(key: string): boolean {
    return this.#signs.has(hashSecret(key));
  }

  add(key: string): void {
    const sign = hashSecret(key);
    this.#signs.delete(sign);
    this.#signs.add(sign);
    const [oldest] = this.#signs;
    if (oldest !== undefined && this.#signs.size > MOST_KEYS) this.#signs.delete(oldest);
  }
}
