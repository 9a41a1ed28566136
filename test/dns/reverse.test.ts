import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseCidr } from '../../src/addr/cidr.ts';
import { reverseKey, reverseOrigins } from '../../src/dns/reverse.ts';
import { keyText } from '../../src/wire/dns/name.ts';
import { ip4 } from './plan-of.ts';

function originsOf(text: string): string[] {
  const cidr = parseCidr(text);
  return cidr ? reverseOrigins(cidr).map((key) => keyText(key)) : [];
}

test('an address is turned round', () => {
  assert.equal(keyText(reverseKey(ip4('192.0.2.130'))), '130.2.0.192.in-addr.arpa');
});

describe('the reverse zones of', () => {
  const rows: [cidr: string, ...origins: string[]][] = [
    ['10.0.0.0/8', '10.in-addr.arpa'],
    ['172.16.0.0/12', ...Array.from({ length: 16 }, (_, i) => `${16 + i}.172.in-addr.arpa`)],
    ['172.16.0.0/16', '16.172.in-addr.arpa'],
    [
      '10.1.252.0/22',
      '252.1.10.in-addr.arpa',
      '253.1.10.in-addr.arpa',
      '254.1.10.in-addr.arpa',
      '255.1.10.in-addr.arpa',
    ],
    ['192.0.2.0/24', '2.0.192.in-addr.arpa'],
    ['192.0.2.128/25', '2.0.192.in-addr.arpa', '128/25.2.0.192.in-addr.arpa'],
    ['192.0.2.4/30', '2.0.192.in-addr.arpa', '4/30.2.0.192.in-addr.arpa'],
    ['192.0.2.4/32', '2.0.192.in-addr.arpa', '4/32.2.0.192.in-addr.arpa'],
  ];
  for (const [cidr, ...origins] of rows) {
    test(`${cidr} are ${origins.length}`, () => assert.deepEqual(originsOf(cidr), origins));
  }

  test('a /17 are 128, and of everything 256', () => {
    assert.deepEqual([originsOf('10.1.128.0/17').length, originsOf('0.0.0.0/0').length], [128, 256]);
    assert.equal(originsOf('0.0.0.0/0').at(-1), '255.in-addr.arpa');
  });
});
