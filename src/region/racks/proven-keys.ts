import type { RackCredentials } from '../../contract/rack-key.ts';
import { hashSecret } from '../secret-hash.ts';

const MOST_KEYS = 10_000;

/** Keys that were right of late: who has one is heard although others guess from the same address, as behind a balancer all do. */
export class ProvenKeys {
  readonly #signs = new Set<string>();

  has(credentials: RackCredentials): boolean {
    return this.#signs.has(signOf(credentials));
  }

  add(credentials: RackCredentials): void {
    const sign = signOf(credentials);
    this.#signs.delete(sign);
    this.#signs.add(sign);
    const [oldest] = this.#signs;
    if (oldest !== undefined && this.#signs.size > MOST_KEYS) this.#signs.delete(oldest);
  }
}

function signOf({ rack, key }: RackCredentials): string {
  return `${rack}.${hashSecret(key)}`;
}
