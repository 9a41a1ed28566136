import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { BROADCAST_MAC, formatMac, parseMac, readMac, writeMac, type Mac } from '../../src/addr/mac.ts';

const SPELLINGS = ['52:54:00:ab:cd:ef', '52-54-00-AB-CD-EF', '5254.00ab.cdef', '525400abcdef', '525400ABCDEF'];

for (const text of SPELLINGS) {
  test(`${text} is read`, () => assert.equal(parseMac(text), 0x525400abcdef));
}

const BAD = [
  '',
  '52:54:00:ab:cd',
  '52:54:00:ab:cd:ef:01',
  '52:54:00:ab:cd:e',
  '52:54:00:ab:cd:eg',
  '52:54-00:ab-cd:ef',
  '5254:00ab:cdef',
  '5254.00abcdef',
  '525400abcde',
  '52:54:00:ab:cd:ef ',
  '52:54:00:ab:cd:ef\n',
];

for (const text of BAD) {
  test(`${JSON.stringify(text)} is no Ethernet address`, () => assert.equal(parseMac(text), undefined));
}

test('every address survives text, with any separator, and bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: BROADCAST_MAC }), fc.nat(4), (value, offset) => {
      const mac = value as Mac;
      for (const separator of [':', '-', '']) assert.equal(parseMac(formatMac(mac, separator)), mac);
      const bytes = new Uint8Array(offset + 7).fill(0xaa);
      writeMac(bytes, offset, mac);
      assert.equal(readMac(bytes, offset), mac);
      assert.equal(Buffer.from(bytes).toString('hex', offset, offset + 6), formatMac(mac, ''));
      assert.equal(bytes[offset + 6], 0xaa);
    }),
  );
});

test('an address is written in lower case with all its digits', () => {
  assert.equal(formatMac(0x0a as Mac), '00:00:00:00:00:0a');
  assert.equal(formatMac(BROADCAST_MAC, '-'), 'ff-ff-ff-ff-ff-ff');
});
