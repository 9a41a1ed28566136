import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parsePeriod, period } from '../../../../src/wire/dns/rdata/period.ts';
import { testField } from './field-cases.ts';

testField('a time', period('the refresh time'), {
  good: [
    ['3600', '00000e10'],
    ['1h30m', '00001518', '5400'],
    ['1W2D3H4M5S', '000c08a5', '788645'],
    ['4294967295', 'ffffffff'],
  ],
  badTexts: [
    ['', 'expected the refresh time, seconds or a time like 1h30m, found the end of the record'],
    ['4294967296', 'expected the refresh time, seconds or a time like 1h30m, found 4294967296'],
    ['1y', 'expected the refresh time, seconds or a time like 1h30m, found 1y'],
    ['h1', 'expected the refresh time, seconds or a time like 1h30m, found h1'],
    ['1h30', 'expected the refresh time, seconds or a time like 1h30m, found 1h30'],
  ],
  badWire: ['000000'],
});

test('a time of many parts is their sum', () => {
  assert.equal(parsePeriod('1w2d3h4m5s'), 604_800 + 2 * 86_400 + 3 * 3600 + 4 * 60 + 5);
  assert.equal(parsePeriod('1m1m'), 120);
  assert.equal(parsePeriod('9999999999w'), undefined);
});
