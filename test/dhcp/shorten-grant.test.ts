import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DhcpReply } from '../../src/dhcp/reply.ts';
import { shortenGrant } from '../../src/dhcp/shorten-grant.ts';
import { encodeSeconds } from '../../src/wire/dhcp/options/seconds.ts';

test('lease time, T1 and T2 are shortened, other options stay, and none is added', () => {
  const reply = {
    options: [
      { code: 53, value: Uint8Array.of(5) },
      { code: 51, value: encodeSeconds(3600) },
      { code: 59, value: encodeSeconds(3150) },
    ],
  } as unknown as DhcpReply;
  assert.deepEqual(shortenGrant(reply, 100).options, [
    { code: 53, value: Uint8Array.of(5) },
    { code: 51, value: encodeSeconds(100) },
    { code: 59, value: encodeSeconds(87) },
  ]);
});
