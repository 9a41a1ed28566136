import { longString, string, strings } from '../../../../src/wire/dns/rdata/character-string.ts';
import { testField } from './field-cases.ts';

const LONG = 'x'.repeat(255);

testField('a text', string('the system'), {
  good: [
    ['Linux', '054c696e7578', '"Linux"'],
    ['""', '00'],
    [String.raw`"a\"b\\c"`, '05612262 5c63'],
    [String.raw`\255\000`, '02ff00', String.raw`"\255\000"`],
  ],
  badTexts: [
    ['', 'expected the system, a text, found the end of the record'],
    [`"${LONG}x"`, 'expected a text of at most 255 octets, found one of 256'],
    ['a="b c"', 'expected a blank before a quote, found a="b c"'],
  ],
  badWire: ['', '02 61'],
});

testField('texts', strings, {
  good: [
    ['"a b" c', '03612062 0163', '"a b" "c"'],
    [`"${LONG}"`, `ff${'78'.repeat(255)}`],
    ['"" ""', '0000'],
  ],
  badTexts: [['', 'expected a text, in quotes if it has blanks, found the end of the record']],
  badWire: ['', '01', '0161 02 61'],
});

testField('a text to the end', longString('the target', 1), {
  good: [
    ['"ftp://a/"', '6674703a2f2f612f'],
    [`"${LONG}${LONG}"`, '78'.repeat(510)],
  ],
  badTexts: [['""', 'expected the target, which is not empty, found an empty text']],
  badWire: [''],
});
