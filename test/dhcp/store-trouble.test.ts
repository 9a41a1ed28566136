import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, OFFER, seconds } from './naive-packet.ts';
import { ip4, testPlan } from './test-plan.ts';

const ONE_ADDRESS = testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] });

test('a failing disk is told once when it begins and once when it ends, whatever comes in between', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.kinds();
  rack.store.failing = true;
  for (let i = 0; i < 20; i++) machine.renew(address);
  rack.time.pass(10);
  rack.store.failing = false;
  rack.time.pass(2);
  const kinds = rack.kinds().filter((kind) => kind.startsWith('dhcp.store'));
  assert.deepEqual(kinds, ['dhcp.store-failed', 'dhcp.store-works']);
});

test('while the disk fails a newcomer is not even offered an address, and gets one when it works', () => {
  const rack = new DhcpRack(ONE_ADDRESS);
  const machine = new Machine(rack, 1);
  rack.store.failing = true;
  machine.select(machine.discover()?.yiaddr ?? '');
  assert.equal(machine.discover(), undefined);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  rack.store.failing = false;
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
});

test('a machine that has a lease and starts anew is offered and given it for the time left', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.time.pass(1000);
  rack.store.failing = true;
  machine.renew(address);
  const offer = machine.discover();
  assert.deepEqual([offer?.type, offer?.yiaddr, seconds(offer?.options.get(51))], [OFFER, address, 2600]);
  assert.equal(machine.select(address)?.type, ACK);
});

test('a lease with less than a minute left is not confirmed', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.store.failing = true;
  rack.time.pass(3539);
  assert.equal(machine.renew(address)?.type, ACK);
  rack.time.pass(2);
  assert.equal(machine.renew(address), undefined);
});

for (const [what, seconds0] of [
  ['forward', 10 * 365 * 86_400],
  ['back', -10 * 365 * 86_400],
] as const) {
  test(`a wall clock set ${what} by years ends no lease and makes none longer`, () => {
    const rack = new DhcpRack(ONE_ADDRESS);
    const machine = new Machine(rack, 1);
    const address = machine.boot();
    rack.time.pass(1000);
    rack.kinds();
    rack.time.setWall(seconds0);
    // Before any timer: a packet that comes right after the jump
    assert.equal(new Machine(rack, 2).discover(), undefined);
    assert.ok(rack.kinds().includes('dhcp.clock-set'));
    rack.time.pass(2590);
    assert.equal(rack.count('expired'), 0);
    assert.ok((rack.leaseTable.get(ip4(address))?.expires ?? 0) - rack.time.seconds < 12);
    assert.ok((rack.store.rows.get(ip4(address))?.expires ?? 0) - rack.time.seconds < 12);
    rack.time.pass(20);
    assert.equal(rack.count('expired'), 1);
    assert.equal(new Machine(rack, 2).boot(), address);
  });
}

test('a host known by its client identifier is still told as that host after the wall clock was set', () => {
  const hosts = [{ name: 'by-id', macs: [], clientIds: ['6e6f646537'] }];
  const rack = new DhcpRack(testPlan({ hosts }));
  const address = new Machine(rack, 1).boot({ options: [[61, [0x6e, 0x6f, 0x64, 0x65, 0x37]]] });
  assert.equal(rack.leaseTable.get(ip4(address))?.host, true);
  rack.time.setWall(86_400);
  rack.time.pass(2);
  assert.ok(rack.kinds().includes('dhcp.clock-set'));
  assert.equal(rack.leaseTable.get(ip4(address))?.host, true);
});

test('a clock that is set while the disk fails keeps the leases too, and they are written when it works', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.store.failing = true;
  rack.time.setWall(86_400);
  rack.time.pass(5);
  assert.equal(rack.count('expired'), 0);
  rack.store.failing = false;
  rack.time.pass(2);
  assert.ok((rack.store.rows.get(ip4(address))?.expires ?? 0) > rack.time.seconds + 3500);
});

test('a rack that starts with a clock behind its last write takes it that no time passed', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  rack.store.lastWrite = Math.floor(rack.time.seconds);
  rack.time.setWall(-1_600_000_000);
  rack.restart(testPlan());
  assert.ok((rack.leaseTable.get(ip4(address))?.expires ?? Infinity) <= rack.time.seconds + 3602);
  rack.time.setWall(1_600_000_000);
  rack.time.pass(3500);
  assert.equal(rack.count('expired'), 0);
  rack.time.pass(200);
  assert.equal(rack.count('expired'), 1);
});

test('a host that gave its address back and moved is told of once more: its lease ends only then', () => {
  const mac = '52:54:00:00:00:01';
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: [mac] }] }));
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  machine.release(address);
  assert.equal(rack.leaseTable.size, 1);
  rack.apply(testPlan({ hosts: [{ name: 'node1', macs: [mac], address: '192.168.127.225' }] }));
  machine.boot();
  rack.time.pass(2);
  assert.deepEqual([...rack.leaseTable.keys()], [ip4('192.168.127.225')]);
});
