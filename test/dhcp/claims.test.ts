import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { Claims, type Disbelief } from '../../src/dhcp/claims.ts';
import { range } from './test-plan.ts';

const WIDE = range('192.168.127.100-192.168.127.199');
const FIRST = WIDE.first;

class Wire {
  readonly told: boolean[] = [];
  readonly claims = new Claims((_range, isCrowded) => void this.told.push(isCrowded));

  claim(user: number, n: number, until = 600, of: typeof WIDE | undefined = WIDE): Disbelief | undefined {
    return this.claims.take(user as Mac, toIp4(FIRST + n), until, of);
  }
}

test('one card is believed sixteen addresses, of a small range a quarter and at least one', () => {
  const wire = new Wire();
  for (let n = 0; n < 16; n++) assert.equal(wire.claim(1, n), undefined);
  assert.equal(wire.claim(1, 16), 'card');
  assert.equal(wire.claim(1, 3, 900), undefined);
  const small = range('10.0.0.1-10.0.0.3');
  assert.equal(wire.claims.take(2 as Mac, small.first, 600, small), undefined);
  assert.equal(wire.claims.take(2 as Mac, small.last, 600, small), 'card');
});

test('all cards together are believed three quarters of a range: told once, and once when it is over', () => {
  const wire = new Wire();
  for (let n = 0; n < 75; n++) assert.equal(wire.claim(n + 1, n), undefined);
  for (let n = 75; n < 100; n++) assert.equal(wire.claim(n + 1, n), 'range');
  assert.deepEqual([wire.told, wire.claims.size], [[true], 75]);
  wire.claims.sweep(599);
  assert.deepEqual(wire.told, [true]);
  wire.claims.sweep(600);
  assert.deepEqual([wire.told, wire.claims.size], [[true, false], 0]);
});

test('another card on the same address takes the place of the one before, which has it to spare', () => {
  const wire = new Wire();
  for (let user = 1; user <= 10_000; user++) assert.equal(wire.claim(user, 0), undefined);
  assert.equal(wire.claims.size, 1);
  for (let n = 0; n < 16; n++) assert.equal(wire.claim(1, n), undefined);
});

test('addresses of hosts outside all ranges are bounded too', () => {
  const wire = new Wire();
  const outcomes = Array.from({ length: 70 }, (_, n) => wire.claims.take((n + 1) as Mac, toIp4(n + 1), 600, undefined));
  assert.deepEqual([outcomes.filter((each) => each === undefined).length, wire.told], [64, []]);
});
