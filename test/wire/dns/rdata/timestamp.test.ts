import { timestamp } from '../../../../src/wire/dns/rdata/timestamp.ts';
import { testField } from './field-cases.ts';

testField('a point in time', timestamp('the expiration'), {
  good: [
    ['20301231235959', '72bd0bff'],
    ['0', '00000000', '19700101000000'],
    ['4294967295', 'ffffffff', '21060207062815'],
    ['20240229120000', '65e071c0'],
  ],
  badTexts: [
    ['20230229120000', 'expected the expiration, a time like 20261231235959, found 20230229120000'],
    ['20261301000000', 'expected the expiration, a time like 20261231235959, found 20261301000000'],
    ['19691231235959', 'expected the expiration, a time like 20261231235959, found 19691231235959'],
    ['21060207062816', 'expected the expiration, a time like 20261231235959, found 21060207062816'],
    ['2026123123595', 'expected the expiration, a time like 20261231235959, found 2026123123595'],
  ],
  badWire: ['000000'],
});
