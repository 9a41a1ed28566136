import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUserClasses, encodeUserClasses } from '../../../../src/wire/dhcp/options/user-class.ts';
import { parseHex } from '../../../fixtures/hex.ts';

const READ: readonly [string, string, readonly string[] | undefined][] = [
  ['bare text, as iPXE sends it', '69 50 58 45', ['iPXE']],
  ['bare text with a NUL, as Windows sends it', '52 52 41 53 00', ['RRAS']],
  ['one class with its length', '04 69 50 58 45', ['iPXE']],
  ['two classes with their lengths', '04 69 50 58 45 02 61 62', ['iPXE', 'ab']],
  ['a length longer than what is left', '05 69 50 58 45', undefined],
  ['a length shorter than what is left', '03 69 50 58 45', undefined],
  ['an empty class', '00', undefined],
  ['an empty class between two', '01 61 00 01 62', undefined],
  ['a class of unprintable bytes', '02 01 02', undefined],
  ['nothing', '', undefined],
];

for (const [what, value, classes] of READ) {
  test(`${what} reads as ${classes?.join(' and ')}`, () =>
    assert.deepEqual(decodeUserClasses(parseHex(value)), classes));
}

test('bare text may begin with any letter, its code being no fitting length', () => {
  const text = Buffer.from(' is thirty-two, the code of the blank.', 'latin1');
  assert.deepEqual(decodeUserClasses(text), [text.toString('latin1')]);
});

test('an absent option is undefined', () => assert.equal(decodeUserClasses(undefined), undefined));

test('classes are written with their lengths and read back', () => {
  assert.deepEqual(encodeUserClasses(['iPXE', 'ab']), parseHex('04 69 50 58 45 02 61 62'));
  assert.deepEqual(decodeUserClasses(encodeUserClasses(['a'.repeat(300)])), ['a'.repeat(255)]);
});
