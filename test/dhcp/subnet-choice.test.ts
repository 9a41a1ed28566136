import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { dotted, DISCOVER, OFFER, writePacket } from './naive-packet.ts';
import { ip4, LOCAL, RACK, RELAYED, testPlan } from './test-plan.ts';

const ETH1 = { ...ETH0, fd: 8, interface: 'eth1', ifindex: 3, address: ip4('10.9.0.1') };
const SECOND = {
  cidr: '10.9.0.0/16',
  interface: 'eth1',
  rack: '10.9.0.1',
  dynamic: '10.9.1.0-10.9.1.255',
  static: null,
  router: null,
};

test('a relayed DISCOVER is answered from the subnet of the relay, with its option 82', () => {
  const rack = new DhcpRack();
  const offer = rack.ask(readHexFixture('dhcp/relayed-discover'), RACK);
  assert.equal(offer?.type, OFFER);
  assert.deepEqual([offer.yiaddr, offer.to, offer.port], ['10.0.7.100', '10.0.7.1', 67]);
  assert.equal(dotted(offer.options.get(3) ?? []), '10.0.7.1');
  assert.equal(dotted(offer.options.get(54) ?? []), RACK);
  assert.equal(offer.order.at(-1), 82);
  assert.equal(Buffer.from(offer.options.get(82) ?? []).toString('hex'), '01060004007f010702080006001b54aa0001');
  assert.equal(rack.told[0]?.kind, 'dhcp.discover');
  assert.equal((rack.told[0] as { relay?: string }).relay, '10.0.7.1');
});

test('a relay of a network we do not serve is refused', () => {
  const rack = new DhcpRack();
  assert.equal(new Machine(rack, 1).discover({ giaddr: '10.255.0.9' }), undefined);
  assert.equal(rack.count('refused.unknown-subnet'), 1);
  assert.deepEqual(rack.kinds(), []);
});

test('a broadcast is answered from the subnet of the interface it was heard on', () => {
  const rack = new DhcpRack(testPlan({ subnets: [LOCAL, RELAYED, SECOND] }), [ETH0, ETH1, LINK]);
  const packet = writePacket({ type: DISCOVER });
  const [first] = rack.exchange([packet], '255.255.255.255', ETH0.fd);
  const [second] = rack.exchange([packet], '255.255.255.255', ETH1.fd);
  assert.deepEqual([first?.yiaddr, first?.ifindex, first?.source], ['192.168.127.111', 2, RACK]);
  assert.deepEqual([second?.yiaddr, second?.ifindex, second?.source], ['10.9.1.0', 3, '10.9.0.1']);
});

test('a subnet that is not managed is not served', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ management: 'none' }, RELAYED] }));
  assert.equal(new Machine(rack, 1).discover(), undefined);
  assert.equal(rack.count('refused.unknown-subnet'), 1);
});
