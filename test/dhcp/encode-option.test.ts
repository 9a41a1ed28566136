import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOption } from '../../src/dhcp/encode-option.ts';
import { sizeOfValue, type OptionValue } from '../../src/plan/option-value.ts';
import { parseHex } from '../fixtures/hex.ts';
import { ip4 } from './test-plan.ts';

const CASES: readonly (readonly [value: OptionValue, bytes: string])[] = [
  [{ kind: 'ip4', value: ip4('192.0.2.1') }, 'c0000201'],
  [{ kind: 'ip4-list', value: [ip4('192.0.2.1'), ip4('10.0.0.1')] }, 'c0000201 0a000001'],
  [{ kind: 'u8', value: 255 }, 'ff'],
  [{ kind: 'u16', value: 9000 }, '2328'],
  [{ kind: 'u32', value: 0xfffffffe }, 'fffffffe'],
  [{ kind: 'duration', value: 3600 }, '00000e10'],
  [{ kind: 'boolean', value: true }, '01'],
  [{ kind: 'text', value: 'ab' }, '61 62'],
  [{ kind: 'domain-list', value: ['a.b', 'c.b'] }, '01 61 01 62 00 01 63 c0 02'],
  [
    { kind: 'routes', value: [{ to: { network: ip4('10.0.0.0'), prefix: 8 }, via: ip4('192.0.2.1') }] },
    '08 0a c0000201',
  ],
  [
    {
      kind: 'suboptions',
      value: [
        { code: 6, value: { kind: 'u8', value: 8 } },
        { code: 67, value: { kind: 'text', value: 'a' } },
      ],
    },
    '06 01 08 43 01 61 ff',
  ],
  [{ kind: 'hex', value: '00ff' }, '00ff'],
];

for (const [value, bytes] of CASES) {
  test(`${value.kind} becomes ${bytes}, which is no longer than was reckoned`, () => {
    const option = encodeOption({ code: 224, value });
    assert.deepEqual(option, { code: 224, value: parseHex(bytes) });
    assert.ok(option.value.length <= sizeOfValue(value));
  });
}

test('option 67 ends in NUL, unless it is written as bytes', () => {
  assert.deepEqual(encodeOption({ code: 67, value: { kind: 'text', value: 'a' } }).value, parseHex('6100'));
  assert.deepEqual(encodeOption({ code: 67, value: { kind: 'hex', value: '61' } }).value, parseHex('61'));
});
