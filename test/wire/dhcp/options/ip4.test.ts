import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4 } from '../../../../src/addr/ip4.ts';
import { decodeIp4, decodeIp4List, encodeIp4, encodeIp4List } from '../../../../src/wire/dhcp/options/ip4.ts';
import { parseHex } from '../../../fixtures/hex.ts';

test('four bytes are an address', () => {
  const address = decodeIp4(parseHex('c0 a8 7f 01'));
  assert.ok(address !== undefined);
  assert.equal(formatIp4(address), '192.168.127.1');
  assert.deepEqual(encodeIp4(address), parseHex('c0 a8 7f 01'));
});

for (const value of ['', 'c0 a8 7f', 'c0 a8 7f 01 02', '00*8']) {
  test(`"${value}" is not one address`, () => assert.equal(decodeIp4(parseHex(value)), undefined));
}

test('several addresses keep their order', () => {
  const value = parseHex('ff ff ff ff  0a 00 00 01');
  const addresses = decodeIp4List(value);
  assert.deepEqual(addresses?.map(formatIp4), ['255.255.255.255', '10.0.0.1']);
  assert.deepEqual(encodeIp4List(addresses ?? []), value);
});

for (const value of ['', '0a 00 00', '0a 00 00 01 0a']) {
  test(`"${value}" is no list of addresses`, () => assert.equal(decodeIp4List(parseHex(value)), undefined));
}

test('an absent option is undefined', () => {
  assert.deepEqual([decodeIp4(undefined), decodeIp4List(undefined)], [undefined, undefined]);
});
