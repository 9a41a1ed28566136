import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SipHash } from '../../../src/wire/dns/sip-hash.ts';
import { parseHex } from '../../fixtures/hex.ts';

/** Of the bytes 00, 01, 02, … and the key 00 to 0f: vectors that its authors published with it. */
const rows: [length: number, hash: string][] = [
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [2, '5a4fa9d909806c0d'],
  [3, '2d7efbd796666785'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
];

describe('SipHash-2-4', () => {
  const hash = new SipHash(Uint8Array.from({ length: 16 }, (_, i) => i));
  for (const [length, expected] of rows) {
    test(`of ${length} bytes is that of its authors`, () => {
      const into = Buffer.alloc(10, 0xee);
      hash.hash(
        Uint8Array.from({ length: 32 }, (_, i) => i),
        length,
        into,
        1,
      );
      assert.deepEqual(into, Buffer.from(parseHex(`ee ${expected} ee`)));
    });
  }
});
