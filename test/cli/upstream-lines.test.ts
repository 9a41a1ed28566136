import assert from 'node:assert/strict';
import { test } from 'node:test';

import { upstreamLines } from '../../src/cli/upstream-lines.ts';

test('each upstream has its line, and says what went wrong', () => {
  const counters = {
    'rcode.NOERROR': 7,
    'upstream.192.0.2.53.up': 1,
    'upstream.192.0.2.53.rtt': 1234,
    'upstream.192.0.2.53.sent': 9,
    'upstream.192.0.2.53.timeouts': 0,
    'upstream.192.0.2.54:853/dns.example.up': 0,
    'upstream.192.0.2.54:853/dns.example.sent': 5,
    'upstream.192.0.2.54:853/dns.example.timeouts': 2,
    'upstream.192.0.2.54:853/dns.example.unreachable': 3,
    'upstream.192.0.2.54:853/dns.example.wrong': 1,
  };
  assert.deepEqual(
    [...upstreamLines(counters)],
    [
      'upstream 192.0.2.53: up, 1.2 ms, asked 9 times',
      'upstream 192.0.2.54:853/dns.example: DOWN, asked 5 times, 2 without an answer in time, 3 in vain, 1 wrong answers',
    ],
  );
});
