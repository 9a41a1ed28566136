import { recordType, typeBitmap } from '../../../../src/wire/dns/rdata/type-bitmap.ts';
import { testField } from './field-cases.ts';

testField('a record type', recordType, {
  good: [
    ['AAAA', '001c'],
    ['aaaa', '001c', 'AAAA'],
    ['TYPE65280', 'ff00'],
    ['TYPE1', '0001', 'A'],
  ],
  badTexts: [
    ['AAAAA', 'expected a record type like AAAA or TYPE65280, found AAAAA'],
    ['TYPE65536', 'expected a record type like AAAA or TYPE65280, found TYPE65536'],
  ],
  badWire: ['00'],
});

testField('the types at a name', typeBitmap, {
  good: [
    // RFC 4034 §4.3
    ['A MX RRSIG NSEC TYPE1234', '0006400100000003 041b000000000000000000000000000000000000000000000000000020'],
    ['NSEC A A', '0006400000000001', 'A NSEC'],
    ['CAA', '010140'],
    ['', ''],
  ],
  badTexts: [['A FOO', 'expected a record type like AAAA or TYPE65280, found FOO']],
  badWire: ['00', '0001', '0000', '000100', '00024000', '0001400001 40', '010140 000140', `0021${'01'.repeat(33)}`],
});
