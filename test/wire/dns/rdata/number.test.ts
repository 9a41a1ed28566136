import { namedNumber, number } from '../../../../src/wire/dns/rdata/number.ts';
import { testField } from './field-cases.ts';

testField('a number', number(2, 'the port'), {
  good: [
    ['0', '0000'],
    ['5060', '13c4'],
    ['65535', 'ffff'],
    ['007', '0007', '7'],
  ],
  badTexts: [
    ['', 'expected the port, a number up to 65535, found the end of the record'],
    ['65536', 'expected the port, a number up to 65535, found 65536'],
    ['-1', 'expected the port, a number up to 65535, found -1'],
    ['1e3', 'expected the port, a number up to 65535, found 1e3'],
    ['http', 'expected the port, a number up to 65535, found http'],
  ],
  badWire: ['', '00'],
});

testField('a number of four octets', number(4, 'the serial'), {
  good: [
    ['4294967295', 'ffffffff'],
    ['2147483648', '80000000'],
  ],
  badTexts: [['4294967296', 'expected the serial, a number up to 4294967295, found 4294967296']],
  badWire: ['000000'],
});

testField('a number with names', namedNumber(1, 'an algorithm', { RSASHA256: 8 }), {
  good: [
    ['rsasha256', '08', '8'],
    ['8', '08'],
    ['200', 'c8'],
  ],
  badTexts: [
    ['RSASHA257', 'expected an algorithm, a number up to 255 or its name, found RSASHA257'],
    ['256', 'expected an algorithm, a number up to 255 or its name, found 256'],
  ],
  badWire: [''],
});
