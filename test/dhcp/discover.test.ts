import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack, type Told } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, dotted, OFFER } from './naive-packet.ts';
import { RACK, testPlan } from './test-plan.ts';

/** Captured pairs: the address that the client was once offered, and asks for, and what it then boots here. */
const CAPTURED = [
  { name: 'udhcpc', wanted: '192.168.127.115', file: '', via: 'link' },
  { name: 'dhclient', wanted: '192.168.127.115', file: '', via: 'link' },
  { name: 'ipxe-rom', wanted: '192.168.127.111', file: `http://${RACK}:5248/boot.ipxe`, via: 'link' },
  { name: 'ovmf-pxe', wanted: '192.168.127.112', file: 'snponly.efi', via: 'udp' },
] as const;

for (const { name, wanted, file, via } of CAPTURED) {
  test(`${name} gets from DISCOVER to its address`, () => {
    const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: `${wanted}-192.168.127.140` }] }));
    const offer = rack.ask(readHexFixture(`dhcp/${name}-discover`));
    assert.equal(offer?.type, OFFER);
    assert.equal(offer.yiaddr, wanted);
    assert.equal(offer.file, file);
    assert.equal(offer.via, via);
    const ack = rack.ask(readHexFixture(`dhcp/${name}-request`));
    assert.equal(ack?.type, ACK);
    assert.equal(ack.yiaddr, wanted);
    assert.equal(ack.file, file);
    assert.equal(dotted(ack.options.get(54) ?? []), RACK);
    assert.equal(rack.leaseTable.size, 1);
    assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.offer', 'dhcp.request', 'dhcp.ack']);
  });
}

test('a repeated DISCOVER is offered the same address, and costs no other', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const first = machine.discover()?.yiaddr;
  rack.time.pass(4);
  assert.equal(machine.discover()?.yiaddr, first);
  assert.notEqual(new Machine(rack, 2).discover()?.yiaddr, first);
});

test('the address asked for is offered when it is free, else another', () => {
  const rack = new DhcpRack();
  assert.equal(new Machine(rack, 1).discover({ wants: '192.168.127.133' })?.yiaddr, '192.168.127.133');
  assert.equal(new Machine(rack, 2).discover({ wants: '192.168.127.133' })?.yiaddr, '192.168.127.111');
  assert.equal(new Machine(rack, 3).discover({ wants: '192.168.127.9' })?.yiaddr, '192.168.127.112');
  assert.equal(new Machine(rack, 4).discover({ wants: '10.0.7.100' })?.yiaddr, '192.168.127.113');
});

test('an offer nobody takes is free again after 60 seconds, not before', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
  assert.equal(new Machine(rack, 1).discover()?.yiaddr, '192.168.127.111');
  rack.time.pass(59);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  rack.time.pass(2);
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, '192.168.127.111');
});

test('a DISCOVER again holds the offer for another minute', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
  const machine = new Machine(rack, 1);
  machine.discover();
  rack.time.pass(40);
  machine.discover();
  rack.time.pass(40);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  rack.time.pass(21);
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, '192.168.127.111');
});

test('a full range is told once, counted each time and otherwise met with silence', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.112' }] }));
  new Machine(rack, 1).boot();
  new Machine(rack, 2).boot();
  rack.kinds();
  for (const n of [3, 4, 5]) assert.equal(new Machine(rack, n).discover(), undefined);
  assert.equal(rack.count('refused.exhausted'), 3);
  assert.deepEqual(
    rack.kinds(),
    ['exhausted', 'ignored', 'ignored'].flatMap((kind) => ['dhcp.discover', `dhcp.${kind}`]),
  );
});

test('a machine that finds a range full is told of once a minute, with the subnet, however often it asks', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
  new Machine(rack, 1).boot();
  new Machine(rack, 2).discover();
  const ask = (): readonly Told[] => {
    rack.told = [];
    for (let n = 0; n < 3; n++) new Machine(rack, 3).discover();
    return rack.told.filter(({ kind }) => kind !== 'dhcp.discover');
  };
  const told = { kind: 'dhcp.ignored', reason: 'no free address in its range', subnet: '192.168.127.0/24' };
  assert.deepEqual(ask(), [{ ...told, mac: '52:54:00:00:00:03' }]);
  assert.deepEqual(ask(), []);
  rack.time.pass(60);
  assert.equal(ask().length, 1);
});

test('a range that is full a second time is told a second time', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
  const holder = new Machine(rack, 1);
  const late = new Machine(rack, 2);
  const address = holder.boot();
  late.discover();
  holder.release(address);
  holder.boot();
  rack.kinds();
  late.discover();
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.exhausted']);
});

test('what comes free in one subnet does not tell anew that another is full', () => {
  const full = { dynamic: '192.168.127.111-192.168.127.111' };
  const other = { cidr: '10.0.7.0/24', interface: null, rack: null, static: null, router: null, lease: 60 };
  const rack = new DhcpRack(testPlan({ subnets: [full, { ...other, dynamic: '10.0.7.100-10.0.7.109' }] }));
  new Machine(rack, 1).boot();
  new Machine(rack, 2).discover();
  new Machine(rack, 3).boot({ giaddr: '10.0.7.1' });
  rack.time.pass(62);
  rack.kinds();
  new Machine(rack, 2).discover();
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.ignored']);
});

test('a subnet without a dynamic range is not called full: a stranger there has no range to be given from', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: null }] }));
  assert.equal(new Machine(rack, 1).discover(), undefined);
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.ignored']);
  assert.equal(rack.count('refused.exhausted'), 0);
});

test('a range that was full of offers and is full of leases later is told both times', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111', lease: 86_400 }] }));
  const told = (): number => rack.kinds().filter((kind) => kind === 'dhcp.exhausted').length;
  new Machine(rack, 1).discover();
  new Machine(rack, 2).discover();
  assert.equal(told(), 1);
  // Nobody took the offer
  rack.time.pass(61);
  new Machine(rack, 3).boot();
  new Machine(rack, 2).discover();
  new Machine(rack, 2).discover();
  assert.equal(told(), 1);
});
