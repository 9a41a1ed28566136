import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { readMac, type Mac } from '../../src/addr/mac.ts';
import { MachinesElsewhere } from '../../src/dhcp/machines-elsewhere.ts';
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
  const elsewhere = new MachinesElsewhere(told);
  assert.equal(elsewhere.learn(macOf(1), at(10), 0), true);
  assert.equal(elsewhere.learn(macOf(1), at(11), 0), true);
  assert.equal(elsewhere.learn(macOf(2), at(11), 0), true);
  assert.deepEqual([...told.addresses], [[at(11), macOf(2)]]);
  assert.equal(elsewhere.size, 1);
});

test('a machine that asks again is news to nobody, until the half of what is thought of it is over', () => {
  const told = new Told();
  const elsewhere = new MachinesElsewhere(told);
  elsewhere.learn(macOf(1), at(10), 0);
  assert.equal(elsewhere.learn(macOf(1), at(10), 3600), false);
  assert.equal(told.bound, 1);
  assert.equal(elsewhere.learn(macOf(1), at(10), 13 * 3600), false);
  assert.equal(told.bound, 2);
});

test('a flood of strangers costs no more memory than it may, and the oldest are forgotten', () => {
  const told = new Told();
  const elsewhere = new MachinesElsewhere(told);
  for (let n = 0; n < 20_000; n++) elsewhere.learn(macOf(n), at(n), 0);
  assert.equal(elsewhere.size, 16_384);
  assert.equal(told.addresses.size, 16_384);
  assert.ok(told.addresses.has(at(19_999)) && !told.addresses.has(at(0)));
});

test('a machine that is told of again is not the oldest any more', () => {
  const told = new Told();
  const elsewhere = new MachinesElsewhere(told);
  elsewhere.learn(macOf(1), at(1), 0);
  for (let n = 2; n <= 16_384; n++) elsewhere.learn(macOf(n), at(n), 0);
  elsewhere.learn(macOf(1), at(1), 13 * 3600);
  elsewhere.learn(macOf(20_000), at(20_000), 13 * 3600);
  assert.deepEqual([told.addresses.has(at(1)), told.addresses.has(at(2))], [true, false]);
});

test('machines of a subnet that is no proxy’s any more are forgotten', () => {
  const told = new Told();
  const elsewhere = new MachinesElsewhere(told);
  elsewhere.learn(macOf(1), at(10), 0);
  elsewhere.apply(testPlan({ subnets: [{ management: 'proxy' }] }));
  assert.equal(told.addresses.size, 1);
  elsewhere.apply(testPlan({ subnets: [{ management: 'dhcp' }] }));
  assert.equal(told.addresses.size, 0);
});
