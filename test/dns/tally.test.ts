import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Tally } from '../../src/dns/tally.ts';

test('only what happened is listed, by name', () => {
  const tally = new Tally();
  assert.deepEqual(tally.counters(), { received: 0, lost: 0 });
  for (const type of [1, 1, 28, 240, 0, 65535]) tally.asked(type);
  for (const rcode of [0, 3, 3, 16]) tally.replied(rcode);
  tally.received();
  tally.dropped('response');
  tally.lost(2);
  assert.deepEqual(tally.counters(), {
    received: 1,
    lost: 2,
    'type.A': 2,
    'type.AAAA': 1,
    'type.TYPE240': 1,
    'type.other': 2,
    'rcode.NOERROR': 1,
    'rcode.NXDOMAIN': 2,
    'rcode.BADVERS': 1,
    'dropped.response': 1,
  });
});
