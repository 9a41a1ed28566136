import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatHex, hexByte } from '../../src/addr/hex.ts';

test('every byte is two lower-case digits', () => {
  for (let byte = 0; byte < 256; byte++) assert.equal(hexByte(byte), Buffer.of(byte).toString('hex'));
});

test('bytes follow one another without a separator', () => {
  assert.equal(formatHex([]), '');
  assert.equal(formatHex(Uint8Array.of(0, 0x0a, 0xff)), '000aff');
});
