import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newToken } from '../../src/region/racks/enrol-token.ts';

test('no token begins as an option of a command line does', () => {
  // 0xf8 begins with the six bits of a hyphen
  const octets = [0xf8, 0xfb, 0x00];
  const token = newToken((count) => Buffer.alloc(count, octets.shift()));
  assert.equal(token, 'A'.repeat(43));
  assert.deepEqual(octets, []);
});
