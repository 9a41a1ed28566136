import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, dotted, INFORM, NAK, writePacket } from './naive-packet.ts';
import { testPlan, type PlanWords } from './test-plan.ts';

const A = { dynamic: '192.168.127.111-192.168.127.112', static: null, more: { shared: 'front' } };
const B = {
  cidr: '10.9.0.0/24',
  rack: '10.9.0.1',
  dynamic: '10.9.0.10-10.9.0.11',
  static: '10.9.0.20-10.9.0.21',
  router: '10.9.0.254',
  more: { shared: 'front' },
};
const NODE = { name: 'node', macs: ['52:54:00:00:00:01'], address: '10.9.0.50' };

function rackOf(words: PlanWords = {}): DhcpRack {
  return new DhcpRack(testPlan({ subnets: [A, B], ...words }));
}

test('when the first subnet of a link is full, its clients get addresses of the next, with that one’s options', () => {
  const rack = rackOf();
  const given = [1, 2, 3, 4].map((n) => new Machine(rack, n).boot({ server: n > 2 ? '10.9.0.1' : '192.168.127.1' }));
  assert.deepEqual(given, ['192.168.127.111', '192.168.127.112', '10.9.0.10', '10.9.0.11']);
  const ack = new Machine(rack, 3).renew('10.9.0.10');
  assert.equal(ack?.type, ACK);
  assert.deepEqual(
    [ack.options.get(3), ack.options.get(54)].map((value) => dotted(value ?? [])),
    ['10.9.0.254', '10.9.0.1'],
  );
  assert.equal(new Machine(rack, 5).discover(), undefined);
  assert.equal(rack.kinds().filter((kind) => kind === 'dhcp.exhausted').length, 1);
});

test('a host gets its written address on whichever of them that is, and no other', () => {
  const rack = rackOf({ hosts: [NODE] });
  const machine = new Machine(rack, 1);
  assert.equal(machine.boot({ server: '10.9.0.1' }), '10.9.0.50');
  assert.equal(machine.reboot('192.168.127.111')?.type, NAK);
});

test('a client keeps to the subnet of its lease, though another has room and it hints at one', () => {
  const rack = rackOf();
  const machine = new Machine(rack, 1);
  const address = '10.9.0.11';
  assert.equal(machine.discover({ wants: address })?.yiaddr, address);
  assert.equal(machine.select(address, { server: '10.9.0.1' })?.type, ACK);
  assert.equal(machine.discover()?.yiaddr, address);
  assert.equal(machine.discover({ wants: '192.168.127.112' })?.yiaddr, address);
  assert.equal(machine.reboot(address)?.type, ACK);
  assert.equal(machine.reboot('192.168.127.112')?.type, NAK);
  assert.equal(rack.ask(writePacket({ type: INFORM, ciaddr: '10.9.0.77' }))?.type, ACK);
});

test('a client keeps the lease it has, though it once had an address of the subnet that comes first', () => {
  const rack = rackOf();
  const [machine, neighbour] = [new Machine(rack, 1), new Machine(rack, 2)];
  machine.decline(machine.boot());
  neighbour.boot();
  assert.equal(machine.boot({ server: '10.9.0.1' }), '10.9.0.10');
  neighbour.release('192.168.127.112');
  assert.equal(machine.discover()?.yiaddr, '10.9.0.10');
  assert.equal(machine.discover({ wants: '192.168.127.111' })?.yiaddr, '10.9.0.10');
});

test('a client has one address on a link', () => {
  const rack = rackOf();
  const machine = new Machine(rack, 1);
  machine.boot();
  machine.select('10.9.0.10', { server: '10.9.0.1' });
  rack.time.pass(2);
  assert.equal(rack.leaseTable.size, 1);
});

test('behind a relay in one of its subnets a link is the same', () => {
  const rack = rackOf({ subnets: [A, B].map((subnet) => ({ ...subnet, interface: null, rack: null })) });
  const offers = [1, 2, 3].map((n) => new Machine(rack, n).discover({ giaddr: '192.168.127.254' })?.yiaddr);
  assert.deepEqual(offers, ['192.168.127.111', '192.168.127.112', '10.9.0.10']);
});

test('an address of the other subnet is on the wrong link for a client of a third one', () => {
  const third = {
    cidr: '10.8.0.0/24',
    interface: null,
    rack: null,
    dynamic: '10.8.0.10-10.8.0.20',
    static: null,
    router: null,
  };
  const rack = rackOf({ subnets: [A, B, third] });
  assert.equal(new Machine(rack, 1).reboot('10.9.0.10', { giaddr: '10.8.0.1' })?.type, NAK);
});
