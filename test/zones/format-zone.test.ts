import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { NameKey } from '../../src/wire/dns/name.ts';
import { formatZone } from '../../src/zones/format-zone.ts';

test('each record is a line of its own that needs no other', () => {
  const owner = '\x03a.b\x01*\x01;\0' as NameKey;
  const records = [
    { owner, type: 1, ttl: 5, data: '\xc0\0\x02\x01' },
    { owner, type: 65_280, ttl: 2 ** 31 - 1, data: '\0\xff' },
    { owner: '\0' as NameKey, type: 16, ttl: 0, data: '\x01"' },
  ];
  assert.deepEqual(
    [...formatZone(records)],
    [
      String.raw`a\.b.*.\;. 5 IN A 192.0.2.1`,
      String.raw`a\.b.*.\;. 2147483647 IN TYPE65280 \# 2 00ff`,
      String.raw`. 0 IN TXT "\""`,
    ],
  );
});
