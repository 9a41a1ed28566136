import { location } from '../../../../src/wire/dns/rdata/location.ts';
import { testField } from './field-cases.ts';

testField('a place', location, {
  good: [
    ['52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m', '00 12 16 13 8b3cf018 810cbce0 009895b8'],
    ['0 S 0 E 0', '00 12 16 13 80000000 80000000 00989680', '0 00 00.000 N 0 00 00.000 E 0.00m 1.00m 10000.00m 10.00m'],
    [
      '90 s 180 w -100000m 0 90000000m',
      '00 00 99 13 6cb02700 59604e00 00000000',
      '90 00 00.000 S 180 00 00.000 W -100000.00m 0.00m 90000000.00m 10.00m',
    ],
  ],
  badTexts: [
    ['', 'expected a latitude like 52 22 23.000 N, found the end of the record'],
    ['90 0 0.001 N 0 E 0', 'expected a latitude like 52 22 23.000 N, found 90 0 0.001 N'],
    ['60 60 N 0 E 0', 'expected a latitude like 52 22 23.000 N, found 60 60 N'],
    ['1 2 3 4 N 0 E 0', 'expected a latitude like 52 22 23.000 N, found 1 2 3 4'],
    ['1 N 181 E 0', 'expected a longitude like 4 53 32.000 E, found 181 E'],
    ['1 N 1 E', 'expected an altitude like -2.00m, found the end of the record'],
    ['1 N 1 E -100000.01m', 'expected an altitude like -2.00m, found -100000.01m'],
    ['1 N 1 E 0 90000001m', 'expected the size in metres, found 90000001m'],
    ['1 N 1 E 0 1 1 1 1', 'expected the end of the record, found 1'],
  ],
  badWire: [
    '',
    '00 12 16 13 80000000 80000000 009896',
    '00 a2 16 13 80000000 80000000 00989680',
    '00 1a 16 13 80000000 80000000 00989680',
    '00 02 16 13 80000000 80000000 00989680',
    '00 12 16 13 ffffffff 80000000 00989680',
  ],
});
