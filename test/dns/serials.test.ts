import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Serials } from '../../src/dns/serials.ts';
import { nameKey } from '../../src/wire/dns/name.ts';

const ZONE = nameKey('a.example');

test('serials follow the clock, and rise when it stands still or goes back', () => {
  let seconds = 1000;
  const serials = new Serials({ now: () => seconds * 1000 + 999, monotonic: () => 0 });
  const given = [1000, 1000, 1000, 2000, 500].map((now) => {
    seconds = now;
    return serials.nextSerial(ZONE);
  });
  assert.deepEqual(given, [1000, 1001, 1002, 2000, 2001]);
  assert.equal(serials.nextSerial(nameKey('b.example')), 500, 'each zone has its own');
});

test('the serial of a file is taken if it rises, by RFC 1982', () => {
  const serials = new Serials({ now: () => 0, monotonic: () => 0 });
  const given = [0xffff_fff0, 0xffff_fff0, 5, 4, 0x8000_0010].map((wanted) => serials.nextSerial(ZONE, wanted));
  assert.deepEqual(given, [0xffff_fff0, 0xffff_fff1, 5, 6, 7]);
});
