import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { testPlan } from './test-plan.ts';

const ONE = '192.168.127.111-192.168.127.111';

test('a released address goes to the next who asks', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: ONE }] }));
  const machine = new Machine(rack, 1);
  assert.equal(machine.release(machine.boot()), undefined);
  assert.deepEqual(rack.ended, ['192.168.127.111']);
  assert.equal(rack.kinds().at(-1), 'dhcp.release');
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
});

test('a client that released its address gets it again while nobody else has it', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  machine.release(address);
  assert.notEqual(new Machine(rack, 2).boot(), address);
  assert.equal(machine.boot(), address);
});

test('a released lease is written down as ended', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: ONE }] }));
  const machine = new Machine(rack, 1);
  machine.release(machine.boot());
  rack.restart(testPlan({ subnets: [{ dynamic: ONE }] }));
  assert.equal(rack.leaseTable.size, 0);
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
});

test('nobody can release the address of another', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  new Machine(rack, 2).release(address);
  assert.deepEqual(rack.ended, []);
  assert.equal(rack.kinds().at(-1), 'dhcp.ignored');
  assert.equal(new Machine(rack, 1).reboot(address)?.yiaddr, address);
});

test('a release is told once, however often it comes, and is not told again as an expiry', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.time.pass(100);
  machine.release(address);
  machine.release(address);
  rack.time.pass(8000);
  assert.deepEqual(rack.ended, [address]);
  assert.equal(rack.kinds().includes('dhcp.expired'), false);
  assert.equal(rack.count('expired'), 0);
});

test('a host that releases its kept address keeps its name', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:00:00:01'] }] }));
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  machine.release(address);
  assert.deepEqual(rack.ended, []);
  assert.equal(rack.leaseTable.size, 1);
  assert.equal(machine.boot(), address);
});
