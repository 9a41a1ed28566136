import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { formatIp4, parseIp4, readIp4, toIp4, writeIp4 } from '../../src/addr/ip4.ts';

const GOOD: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 0],
  ['0.0.0.1', 1],
  ['127.0.0.1', 0x7f000001],
  ['128.0.0.0', 0x80000000],
  ['192.168.127.221', 0xc0a87fdd],
  ['255.255.255.255', 0xffffffff],
];

for (const [text, value] of GOOD) {
  test(`${text} is read and written back`, () => {
    assert.equal(parseIp4(text), value);
    assert.equal(formatIp4(toIp4(value)), text);
  });
}

const BAD = [
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '1.2.3.-4',
  '010.0.0.1',
  '00.0.0.1',
  '1.2.3.4 ',
  ' 1.2.3.4',
  '1.2.3.4\n',
  '1..3.4',
  '0x1.2.3.4',
  '1e1.0.0.1',
  '١.2.3.4',
];

for (const text of BAD) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseIp4(text), undefined));
}

test('every address survives text and bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(4), (value, offset) => {
      const address = toIp4(value);
      assert.equal(parseIp4(formatIp4(address)), address);
      const bytes = new Uint8Array(offset + 5).fill(0xaa);
      writeIp4(bytes, offset, address);
      assert.equal(readIp4(bytes, offset), address);
      assert.equal(new DataView(bytes.buffer).getUint32(offset), address);
      assert.equal(bytes[offset + 4], 0xaa);
    }),
  );
});

test('a number beyond 32 bits wraps', () => {
  assert.equal(toIp4(-1), 0xffffffff);
  assert.equal(toIp4(2 ** 32 + 5), 5);
});
