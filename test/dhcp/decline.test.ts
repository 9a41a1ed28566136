import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { testPlan } from './test-plan.ts';

const ONE = testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] });
const ADDRESS = '192.168.127.111';

test('a declined address is given to nobody for ten minutes, and then again', () => {
  const rack = new DhcpRack(ONE);
  const machine = new Machine(rack, 1);
  machine.boot();
  machine.decline(ADDRESS);
  assert.deepEqual(rack.ended, [ADDRESS]);
  assert.equal(rack.kinds().at(-1), 'dhcp.decline');
  for (const minute of [0, 5, 4.9]) {
    rack.time.pass(minute * 60);
    assert.equal(machine.discover(), undefined);
    assert.equal(new Machine(rack, 2).discover({ wants: ADDRESS }), undefined);
  }
  rack.time.pass(10);
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, ADDRESS);
});

test('an address may be declined as soon as it was offered', () => {
  const rack = new DhcpRack(ONE);
  new Machine(rack, 1).discover();
  new Machine(rack, 1).decline(ADDRESS);
  assert.equal(new Machine(rack, 2).discover(), undefined);
});

test('nobody is believed about an address that it was not given', () => {
  const rack = new DhcpRack(ONE);
  new Machine(rack, 2).decline(ADDRESS);
  new Machine(rack, 2).decline('192.168.127.221');
  assert.equal(new Machine(rack, 1).boot(), ADDRESS);
  new Machine(rack, 2).decline(ADDRESS);
  assert.deepEqual(rack.ended, []);
  assert.equal(rack.count('refused.unknown'), 3);
  assert.equal(new Machine(rack, 1).renew(ADDRESS)?.yiaddr, ADDRESS);
});

test('a client is not believed about an address whose lease ran out', () => {
  const rack = new DhcpRack(ONE);
  new Machine(rack, 1).boot();
  rack.time.pass(4000);
  new Machine(rack, 1).decline(ADDRESS);
  assert.equal(new Machine(rack, 2).boot(), ADDRESS);
});

test('a client that declined is refused the address when it comes back for it at once', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  machine.decline(address);
  assert.equal(machine.reboot(address)?.yiaddr, '0.0.0.0');
  assert.notEqual(machine.boot(), address);
});

test('a host whose kept address is taken by a stranger gets another, and that one for good', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:00:00:01'] }] }));
  const machine = new Machine(rack, 1);
  assert.equal(machine.boot(), '192.168.127.221');
  machine.decline('192.168.127.221');
  assert.equal(machine.boot(), '192.168.127.222');
  rack.time.pass(8000);
  assert.equal(machine.boot(), '192.168.127.222');
});

test('how long the quarantine lasts is the subnet’s to say', () => {
  const rack = new DhcpRack(
    testPlan({ subnets: [{ dynamic: `${ADDRESS}-${ADDRESS}`, more: { quarantineSeconds: 30 } }] }),
  );
  new Machine(rack, 1).boot();
  new Machine(rack, 1).decline(ADDRESS);
  rack.time.pass(29);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  rack.time.pass(3);
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, ADDRESS);
});

test('one client that declines whatever it is offered does not empty a range', () => {
  const rack = new DhcpRack();
  const loop = new Machine(rack, 1);
  for (let i = 0; i < 100; i++) {
    const offer = loop.discover();
    if (i % 2 === 0 && offer) loop.select(offer.yiaddr);
    loop.decline(offer?.yiaddr ?? '');
    rack.time.pass(1);
  }
  assert.equal(rack.count('refused.decline-limit'), 96);
  const reason = 'it declined too many addresses of this range already';
  assert.deepEqual(rack.told.findLast(({ kind }) => kind === 'dhcp.decline')?.['reason' as never], reason);
  const others = Array.from({ length: 26 }, (_, i) => new Machine(rack, 2 + i).boot());
  assert.equal(new Set(others).size, 26);
  rack.time.pass(600);
  assert.equal(loop.boot().length > 0, true);
});

test('a client is believed again when its quarantines are over', () => {
  const rack = new DhcpRack(ONE);
  for (let round = 0; round < 3; round++) {
    new Machine(rack, 1).boot();
    new Machine(rack, 1).decline(ADDRESS);
    rack.time.pass(610);
  }
  assert.equal(rack.count('refused.decline-limit'), 0);
});
