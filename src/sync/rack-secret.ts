import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { formatAuthorization } from '../contract/rack-key.ts';

const KEY = /^[A-Za-z0-9_-]{43}$/;
const OCTETS = 32;

/** The key by which the region knows a rack. It prints as nothing but that it is one. */
export class RackSecret {
  readonly #key: string;

  static create(): RackSecret {
    return new RackSecret(randomBytes(OCTETS).toString('base64url'));
  }

  /** Throws, without a word of it, when it is none. */
  constructor(key: string) {
    if (!KEY.test(key)) throw new Error('expected a key of 32 octets in base64url');
    this.#key = key;
  }

  /** What the region keeps of it: SHA-256, hex. */
  get hash(): string {
    return createHash('sha256').update(this.#key).digest('hex');
  }

  authorizationOf(rack: string): string {
    return formatAuthorization({ rack, key: this.#key });
  }

  /** For its file. */
  reveal(): string {
    return this.#key;
  }

  isSame(other: RackSecret): boolean {
    return other.#key === this.#key;
  }

  /** What somebody else said, who may have been told the key. */
  hideIn(text: string): string {
    return text.replaceAll(this.#key, '[key]');
  }

  toJSON(): string {
    return '[key]';
  }

  [inspect.custom](): string {
    return '[key]';
  }
}
