import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { childKey, keyText, nameKey, parentKey, readName, skipName } from '../../../src/wire/dns/name.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

const LONG_LABEL = `3f ${'61'.repeat(63)}`;
/** 3 × 64 + 62 + 1 = 255 octets. */
const LONGEST_NAME = `${LONG_LABEL} ${LONG_LABEL} ${LONG_LABEL} 3d ${'61'.repeat(61)} 00`;
const TOO_LONG_NAME = `${LONG_LABEL} ${LONG_LABEL} ${LONG_LABEL} 3e ${'61'.repeat(62)} 00`;

describe('a name in a question', () => {
  const good: [title: string, hex: string, key: string, end: number][] = [
    ['the root', '00', '\0', 1],
    ['one label', '03 777777 00', '\x03www\0', 5],
    ['two labels, and what follows is left', '01 61 02 6263 00 ff', '\x01a\x02bc\0', 6],
    ['upper case is lowered', '03 575761 00', '\x03wwa\0', 5],
    ['only A to Z is lowered', '04 40 5b c0 5a 00', '\x04@[\xc0z\0', 6],
    ['a label of 63 octets', `${LONG_LABEL} 00`, `\x3f${'a'.repeat(63)}\0`, 65],
  ];
  for (const [title, hex, key, end] of good) {
    test(`${title} is read`, () => assert.deepEqual(readName(parseHex(hex), 0), { key, end }));
  }

  test('a name of 255 octets is read', () => assert.equal(readName(parseHex(LONGEST_NAME), 0).end, 255));

  const bad: [title: string, hex: string][] = [
    ['no bytes', ''],
    ['no root at the end', '01 61'],
    ['a label that runs past the end', '05 6161'],
    ['a label that ends with the message', '02 6161'],
    ['a pointer to itself', 'c000'],
    ['a pointer behind a label', '01 61 c000'],
    ['an extended label (0x40)', '41 61 00'],
    ['a reserved label (0x80)', '81 61 00'],
    ['256 octets', TOO_LONG_NAME],
  ];
  for (const [title, hex] of bad) {
    test(`${title} is refused`, () => assert.throws(() => readName(parseHex(hex), 0), WireError));
  }
});

describe('a name that is stepped over', () => {
  const good: [title: string, hex: string, start: number, end: number][] = [
    ['ends behind its root', '01 61 00 ff', 0, 3],
    ['ends behind a pointer that goes back', '01 61 00 c000 ff', 3, 5],
    ['may have labels before the pointer', '01 61 00 01 62 c000', 3, 7],
    ['may be 255 octets long', LONGEST_NAME, 0, 255],
  ];
  for (const [title, hex, start, end] of good) {
    test(title, () => assert.equal(skipName(parseHex(hex), start), end));
  }

  const bad: [title: string, hex: string, start: number][] = [
    ['a pointer to itself', '00 c001', 1],
    ['a pointer to its own first label', '00 01 61 c001', 1],
    ['a pointer forward', '00 c003 00', 1],
    ['half a pointer', '00 c0', 1],
    ['an extended label', '41 61 00', 0],
    ['labels past the end', '01 61 02', 0],
    ['256 octets', TOO_LONG_NAME, 0],
  ];
  for (const [title, hex, start] of bad) {
    test(`${title} is refused`, () => assert.throws(() => skipName(parseHex(hex), start), WireError));
  }
});

describe('a name in text', () => {
  const keys: [text: string, key: string][] = [
    ['.', '\0'],
    ['', '\0'],
    ['Node1.Rack.example', '\x05node1\x04rack\x07example\0'],
    ['rack.example.', '\x04rack\x07example\0'],
  ];
  for (const [text, key] of keys) test(`"${text}" has a key`, () => assert.equal(nameKey(text), key));

  for (const text of ['a..b', '.a', '..', 'a b', 'ä', 'a'.repeat(64), `${'a.'.repeat(127)}aa`]) {
    test(`"${text.slice(0, 20)}" is refused`, () => assert.throws(() => nameKey(text), WireError));
  }

  test('a name of 127 labels is the longest', () => assert.equal(nameKey('a.'.repeat(127)).length, 255));

  test('bytes that are no text come out escaped', () => {
    const { key } = readName(parseHex('05 61 2e 20 00 5c 01 62 00'), 0);
    assert.equal(keyText(key), 'a\\046\\032\\000\\092.b');
  });

  test('the text of a key gives that key', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        const key = nameKey(labels.join('.'));
        assert.equal(nameKey(keyText(key)), key);
        assert.deepEqual(readName(Buffer.from(key, 'latin1'), 0), { key, end: key.length });
      }),
    );
  });
});

describe('parents and children', () => {
  test('the parent of a name is the name without its first label', () => {
    assert.equal(parentKey(nameKey('a.bc.d')), nameKey('bc.d'));
    assert.equal(parentKey(nameKey('d')), nameKey('.'));
    assert.equal(parentKey(nameKey('.')), undefined);
  });

  test('a child is made of one label', () => {
    assert.equal(childKey('A', nameKey('b')), nameKey('a.b'));
    for (const label of ['', 'a.b', 'a b', 'a'.repeat(64)]) assert.equal(childKey(label, nameKey('b')), undefined);
  });

  test('a child that makes the name too long is none', () => {
    const parent = nameKey(`${'a'.repeat(63)}.`.repeat(3));
    assert.equal(childKey('b'.repeat(61), parent)?.length, 255);
    assert.equal(childKey('b'.repeat(62), parent), undefined);
  });
});
