import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { OFFER } from './naive-packet.ts';
import { ip4, mac, testPlan } from './test-plan.ts';

const BY_ID = { name: 'by-id', macs: [], clientIds: ['6e6f646537', '006e6f646537'], address: '192.168.127.50' };
const BY_PORT = { name: 'by-port', macs: [], circuitIds: ['0004007f'] };
const BY_MAC = { name: 'by-mac', macs: ['52:54:00:00:00:01'], address: '192.168.127.52' };
const PLAN = testPlan({ hosts: [BY_ID, BY_PORT, BY_MAC] });
const NODE7 = [61, [0x6e, 0x6f, 0x64, 0x65, 0x37]] as const;
const TYPED_NODE7 = [61, [0, ...NODE7[1]]] as const;
const PORT = [82, [1, 4, 0, 4, 0, 0x7f]] as const;

test('a host is known by its client identifier, with the type byte or without', () => {
  for (const id of [NODE7, TYPED_NODE7]) {
    const rack = new DhcpRack(PLAN);
    assert.equal(new Machine(rack, 7).boot({ name: 'other', options: [id] }), '192.168.127.50');
    const fact = rack.leaseTable.get(ip4('192.168.127.50'));
    assert.deepEqual([fact?.name, fact?.host, fact?.mac], ['by-id', true, mac('52:54:00:00:00:07')]);
  }
});

test('a host known by its port keeps an address of the static range, over its lease and a restart', () => {
  const rack = new DhcpRack(PLAN);
  const options = [PORT];
  assert.equal(new Machine(rack, 7).boot({ options }), '192.168.127.221');
  rack.time.pass(8000);
  rack.leaseTable.clear();
  rack.restart(PLAN);
  assert.equal(rack.leaseTable.get(ip4('192.168.127.221'))?.host, true);
  assert.equal(new Machine(rack, 7).boot({ options }), '192.168.127.221');
});

test('of several signs the MAC goes first, then the identifier, then the port', () => {
  const rack = new DhcpRack(PLAN);
  assert.equal(new Machine(rack, 1).discover({ options: [NODE7, PORT] })?.yiaddr, '192.168.127.52');
  assert.equal(new Machine(rack, 2).discover({ options: [NODE7, PORT] })?.yiaddr, '192.168.127.50');
});

test('a second machine with the same sign does not get the address while the first one has it', () => {
  const rack = new DhcpRack(PLAN);
  new Machine(rack, 7).boot({ options: [NODE7] });
  assert.equal(new Machine(rack, 8).discover({ options: [NODE7] }), undefined);
  rack.time.pass(3700);
  assert.equal(new Machine(rack, 8).discover({ options: [NODE7] })?.yiaddr, '192.168.127.50');
});

test('a machine without the sign is nobody special, and is not given the host’s address', () => {
  const rack = new DhcpRack(PLAN);
  const offer = new Machine(rack, 7).discover({ name: 'by-id', wants: '192.168.127.50' });
  assert.equal(offer?.type, OFFER);
  assert.equal(offer.yiaddr, '192.168.127.111');
  assert.equal(offer.options.has(12), false);
});
