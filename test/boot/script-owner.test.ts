import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { scriptOwner } from '../../src/boot/script-owner.ts';
import { ip4, mac } from './boot-plan-fixture.ts';

const MAC = mac('52:54:00:12:34:56');
const OTHER = mac('52:54:00:12:34:99');
const LEASED = { rackAddress: ip4('192.0.2.1'), address: ip4('192.0.2.50'), mac: OTHER };
const UNKNOWN = { rackAddress: ip4('192.0.2.1'), address: ip4('192.0.2.50') };

describe('the owner of a script', () => {
  for (const spelling of ['52:54:00:12:34:56', '52-54-00-12-34-56', '01-52-54-00-12-34-56', '01:52:54:00:12:34:56']) {
    it(`is the MAC in ${spelling}, whoever asks`, () => {
      assert.equal(scriptOwner(spelling, LEASED), MAC);
      assert.equal(scriptOwner(spelling, UNKNOWN), MAC);
    });
  }

  for (const spelling of ['', 'default', '564d3412-5678-90ab-cdef-0123456789AB', 'C0000232', 'c0000232']) {
    it(`is the machine that asks for "${spelling}", by its lease`, () => {
      assert.equal(scriptOwner(spelling, LEASED), OTHER);
      assert.equal(scriptOwner(spelling, UNKNOWN), 'no lease tells which machine asks');
    });
  }

  for (const [spelling, reason] of [
    ['C000023', 'there are no scripts for networks'],
    ['C', 'there are no scripts for networks'],
    ['C0000233', 'these digits are not the address that asks, 192.0.2.50'],
    ['x', '"x" is not a MAC address: expected one like 52-54-00-12-34-56'],
  ] as const) {
    it(`is nobody for "${spelling}"`, () => {
      assert.equal(scriptOwner(spelling, LEASED), reason);
    });
  }
});
