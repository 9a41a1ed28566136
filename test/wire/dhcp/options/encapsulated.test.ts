import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptionCode } from '../../../../src/wire/dhcp/option-code.ts';
import { decodeEncapsulated, encodeEncapsulated } from '../../../../src/wire/dhcp/options/encapsulated.ts';
import { decodeDhcp } from '../../../../src/wire/dhcp/packet.ts';
import { parseHex, readHexFixture } from '../../../fixtures/hex.ts';

test('what an iPXE ROM says of itself can be asked for', () => {
  const packet = decodeDhcp(readHexFixture('dhcp/ipxe-rom-discover'));
  const features = decodeEncapsulated(packet.options.get(OptionCode.ipxe));
  // 19: it fetches by HTTP; 33: it is a PXE loader; 235: its version, 1.0.0.
  assert.deepEqual(features?.get(19), Uint8Array.of(1));
  assert.deepEqual(features?.get(33), Uint8Array.of(1));
  assert.deepEqual(features?.get(235), Uint8Array.of(1, 0, 0));
  assert.equal(features?.has(36), false);
});

test('Pad is skipped and End ends it', () => {
  const options = decodeEncapsulated(parseHex('00 06 01 08 ff 0a 01 61'));
  assert.deepEqual([...(options ?? [])], [{ code: 6, value: Uint8Array.of(8) }]);
});

for (const value of ['06', '06 02 08', '06 01 08 0a']) {
  test(`"${value}" runs past its end and is undefined`, () =>
    assert.equal(decodeEncapsulated(parseHex(value)), undefined));
}

test('an empty value holds no options, an absent one is undefined', () => {
  assert.deepEqual([...(decodeEncapsulated(parseHex('')) ?? [1])], []);
  assert.equal(decodeEncapsulated(undefined), undefined);
});

test('options are written in order and end with End', () => {
  const value = encodeEncapsulated([
    { code: 6, value: Uint8Array.of(8) },
    { code: 10, value: parseHex('00 50 58 45') },
    { code: 11, value: new Uint8Array(0) },
  ]);
  assert.deepEqual(value, parseHex('06 01 08  0a 04 00 50 58 45  0b 00  ff'));
});

test('a long option inside is split and read back whole', () => {
  const long = parseHex('61*300');
  assert.deepEqual(decodeEncapsulated(encodeEncapsulated([{ code: 9, value: long }]))?.get(9), long);
});
