import { ip4, ip6 } from '../../../../src/wire/dns/rdata/address.ts';
import { testField } from './field-cases.ts';

testField('an IPv4 address', ip4, {
  good: [
    ['192.0.2.1', 'c0000201'],
    ['255.255.255.255', 'ffffffff'],
  ],
  badTexts: [
    ['192.0.2', 'expected an IPv4 address like 192.0.2.1, found 192.0.2'],
    ['', 'expected an IPv4 address like 192.0.2.1, found the end of the record'],
  ],
  badWire: ['', 'c00002'],
});

testField('an IPv6 address', ip6, {
  good: [['2001:db8::1', '20010db8000000000000000000000001']],
  badTexts: [['192.0.2.1', 'expected an IPv6 address like 2001:db8::1, found 192.0.2.1']],
  badWire: ['20010db80000000000000000000000'],
});
