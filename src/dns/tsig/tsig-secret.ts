import { createHmac, timingSafeEqual } from 'node:crypto';

import { nameKey, type NameKey } from '../../wire/dns/name.ts';

/** The algorithms that we sign with (RFC 8945 §6), and what node:crypto calls them. */
const ALGORITHMS = {
  'hmac-sha256': { digest: 'sha256', size: 32 },
  'hmac-sha384': { digest: 'sha384', size: 48 },
  'hmac-sha512': { digest: 'sha512', size: 64 },
} as const;

export type TsigAlgorithm = keyof typeof ALGORITHMS;

/** A key that two parties share. It prints as its name alone. */
export class TsigSecret {
  readonly name: NameKey;
  readonly algorithm: NameKey;
  /** Octets of a MAC. */
  readonly macSize: number;
  readonly #digest: string;
  readonly #secret: Buffer;

  constructor(name: string, algorithm: TsigAlgorithm, secret: Buffer) {
    this.name = nameKey(name);
    this.algorithm = nameKey(algorithm);
    this.macSize = ALGORITHMS[algorithm].size;
    this.#digest = ALGORITHMS[algorithm].digest;
    this.#secret = secret;
  }

  mac(parts: readonly Uint8Array[]): Buffer {
    const hmac = createHmac(this.#digest, this.#secret);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }

  /** In constant time for a MAC of this length (RFC 8945 §5.2.2). */
  isMac(mac: Uint8Array, parts: readonly Uint8Array[]): boolean {
    const expected = this.mac(parts).subarray(0, mac.length);
    return expected.length === mac.length && timingSafeEqual(expected, mac);
  }
}
