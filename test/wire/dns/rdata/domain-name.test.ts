import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nameKey } from '../../../../src/wire/dns/name.ts';
import { name, nameText, plainName, toName } from '../../../../src/wire/dns/rdata/domain-name.ts';
import { testField } from './field-cases.ts';

const A63 = 'a'.repeat(63);

testField('a name', name('the target'), {
  good: [
    ['.', '00'],
    ['@', '076578616d706c6500', 'example.'],
    ['www', '03777777 076578616d706c6500', 'www.example.'],
    ['WWW.Other.', '03575757 054f74686572 00'],
    [String.raw`a\.b.`, '03612e62 00'],
    [String.raw`\065\000.`, '024100 00', String.raw`A\000.`],
    [String.raw`\@.`, '0140 00'],
    [String.raw`a\ b.`, '03612062 00', String.raw`a\032b.`],
    [String.raw`a\\.b.`, '02615c 0162 00'],
    ['_sip.*.', '045f736970 012a 00'],
  ],
  badTexts: [
    ['', 'expected the target, a domain name, found the end of the record'],
    ['a..b', 'expected the target without an empty label, found a..b'],
    ['.a', 'expected the target without an empty label, found .a'],
    ['""', 'expected the target without an empty label, found an empty text'],
    [`${A63}a`, `expected the target with labels of at most 63 octets, found ${'a'.repeat(59)}…`],
    [
      String.raw`a\256`,
      'expected \\\\ and a character or three digits up to 255, found \\\\256'.replaceAll('\\\\', '\\'),
    ],
    [String.raw`a\2x`, String.raw`expected \ and a character or three digits up to 255, found \2x`],
    [`${A63}.${A63}.${A63}.${A63}`, `expected the target of at most 255 octets, found ${'a'.repeat(59)}…`],
  ],
  badWire: ['', '0361', '40', 'c000'],
});

testField('a name that is never compressed', plainName('the target'), {
  good: [['a.', '0161 00']],
  badTexts: [],
  badWire: ['', '0161', '0161 c000'],
});

test('a name of 255 octets is the longest', () => {
  const longest = `${A63}.${A63}.${A63}.${'b'.repeat(61)}.`;
  assert.equal(toName(longest, '\0').length, 255);
  assert.throws(() => toName(`b${longest}`, '\0'), { name: 'TextError' });
});

test('text of a name gives that name, whatever octets are in it', () => {
  for (let octet = 0; octet < 256; octet++) {
    const wire = `\x03a${String.fromCharCode(octet)}b\x01c\0`;
    assert.equal(toName(nameText(wire), '\0'), wire);
  }
  assert.equal(nameText(nameKey('a.b')), 'a.b.');
});
