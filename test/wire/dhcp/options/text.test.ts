import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, encodeTerminatedText, encodeText } from '../../../../src/wire/dhcp/options/text.ts';
import { parseHex } from '../../../fixtures/hex.ts';

const READ: readonly [string, string, string | undefined][] = [
  ['text without an end mark', '6e 6f 64 65 31', 'node1'],
  ['text with a NUL', '6e 6f 64 65 31 00', 'node1'],
  ['text with NULs and the 0xff an old ROM read past', '6e 6f 64 65 31 00 ff 00 ff', 'node1'],
  ['blank and tilde', '20 7e', ' ~'],
  ['nothing', '', undefined],
  ['nothing but NULs', '00 00', undefined],
  ['a NUL in the middle', '6e 00 65', undefined],
  ['a control character', '6e 0a 65', undefined],
  ['delete', '6e 7f', undefined],
  ['a byte above 126', '6e c3 a9', undefined],
];

for (const [what, value, text] of READ) {
  test(`${what} reads as ${text}`, () => assert.equal(decodeText(parseHex(value)), text));
}

test('an absent option is undefined', () => assert.equal(decodeText(undefined), undefined));

test('text is written bare, or with the NUL that ROMs look for', () => {
  assert.deepEqual(encodeText('node1'), parseHex('6e 6f 64 65 31'));
  assert.deepEqual(encodeTerminatedText('node1'), parseHex('6e 6f 64 65 31 00'));
});
