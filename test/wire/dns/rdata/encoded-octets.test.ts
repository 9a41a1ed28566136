import { base64, hardwareAddress, hashedOwner, hex, salt } from '../../../../src/wire/dns/rdata/encoded-octets.ts';
import { testField } from './field-cases.ts';

testField('hex', hex('the digest'), {
  good: [
    ['0a1bff', '0a1bff'],
    ['0A 1b FF', '0a1bff', '0a1bff'],
    ['0 a1 bff', '0a1bff', '0a1bff'],
  ],
  badTexts: [
    ['', 'expected the digest, found the end of the record'],
    ['""', 'expected the digest, found nothing'],
    ['0a1', 'expected the digest, pairs of hex digits, found 0a1'],
    ['0g', 'expected the digest, pairs of hex digits, found 0g'],
  ],
  badWire: [''],
});

testField('base64', base64('the key'), {
  good: [
    ['AQIDBA==', '01020304'],
    ['AQID BA ==', '01020304', 'AQIDBA=='],
  ],
  badTexts: [
    ['', 'expected the key, found the end of the record'],
    ['AQIDBA', 'expected the key, in base64, found AQIDBA'],
    ['AQIDBB==', 'expected the key, in base64, found AQIDBB=='],
    ['AQ-_', 'expected the key, in base64, found AQ-_'],
  ],
  badWire: [''],
});

testField('a salt', salt, {
  good: [
    ['aabb', '02aabb'],
    ['-', '00'],
  ],
  badTexts: [
    ['aab', 'expected the salt, hex digits or -, pairs of hex digits, found aab'],
    ['', 'expected the salt, hex digits or -, found the end of the record'],
  ],
  badWire: ['', '02aa'],
});

testField('a hashed name', hashedOwner, {
  good: [
    ['2t7b4g4vsa5smi47k61mv5bv1a22bojr', '14174eb2409fe28bcb4887a1836f957f0a8425e27b'],
    ['04', '0101'],
    ['CO', '0166', 'co'],
  ],
  badTexts: [
    ['w0', 'expected the hash of the next name, in base32hex, found w0'],
    ['05', 'expected the hash of the next name, in base32hex, found 05'],
    ['0', 'expected the hash of the next name, in base32hex, found 0'],
  ],
  badWire: ['', '00', '0201'],
});

testField('a hardware address', hardwareAddress(6), {
  good: [
    ['00-00-5e-00-53-2a', '00005e00532a'],
    ['00-00-5E-00-53-2A', '00005e00532a', '00-00-5e-00-53-2a'],
  ],
  badTexts: [['00:00:5e:00:53:2a', 'expected an address of 6 octets like 00-00-00-00-00-2a, found 00:00:5e:00:53:2a']],
  badWire: ['00005e0053'],
});
