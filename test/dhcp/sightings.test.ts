import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { readMac, type Mac } from '../../src/addr/mac.ts';
import { Sightings } from '../../src/dhcp/sightings.ts';
import { testPlan } from './test-plan.ts';

function macOf(n: number): Mac {
  return readMac(Uint8Array.of(2, 0, 0, n >>> 16, (n >>> 8) & 255, n & 255), 0);
}

function at(n: number): Ip4 {
  return toIp4(0xc0a87f00 + n);
}

/** What the other services would hold. */
class Told {
  readonly addresses = new Map<Ip4, Mac>();
  bound = 0;

  leaseBound({ address, mac }: { address: Ip4; mac: Mac }): void {
    this.bound++;
    this.addresses.set(address, mac);
  }

  leaseEnded(address: Ip4): void {
    this.addresses.delete(address);
  }
}

test('a machine has the address it asked for last, and an address the machine that asked for it last', () => {
  const told = new Told();
  const sightings = new Sightings(told);
  assert.equal(sightings.learn(macOf(1), at(10), 0), true);
  assert.equal(sightings.learn(macOf(1), at(11), 0), true);
  assert.equal(sightings.learn(macOf(2), at(11), 0), true);
  assert.deepEqual([...told.addresses], [[at(11), macOf(2)]]);
  assert.equal(sightings.size, 1);
});

test('a machine that asks again is news to nobody, until the half of what is thought of it is over', () => {
  const told = new Told();
  const sightings = new Sightings(told);
  sightings.learn(macOf(1), at(10), 0);
  assert.equal(sightings.learn(macOf(1), at(10), 3600), false);
  assert.equal(told.bound, 1);
  assert.equal(sightings.learn(macOf(1), at(10), 13 * 3600), false);
  assert.equal(told.bound, 2);
});

test('a flood of strangers costs no more memory than it may, and the oldest are forgotten', () => {
  const told = new Told();
  const sightings = new Sightings(told);
  for (let n = 0; n < 20_000; n++) sightings.learn(macOf(n), at(n), 0);
  assert.equal(sightings.size, 16_384);
  assert.equal(told.addresses.size, 16_384);
  assert.ok(told.addresses.has(at(19_999)) && !told.addresses.has(at(0)));
});

test('machines of a subnet that is no proxy’s any more are forgotten', () => {
  const told = new Told();
  const sightings = new Sightings(told);
  sightings.learn(macOf(1), at(10), 0);
  sightings.apply(testPlan({ subnets: [{ management: 'proxy' }] }));
  assert.equal(told.addresses.size, 1);
  sightings.apply(testPlan({ subnets: [{ management: 'dhcp' }] }));
  assert.equal(told.addresses.size, 0);
});
