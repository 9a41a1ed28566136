import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, dotted, DISCOVER, NAK, OFFER, quad, writePacket } from './naive-packet.ts';
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
  const reason = 'relay 10.255.0.9 speaks for no subnet of this rack';
  assert.deepEqual(rack.told, [{ kind: 'dhcp.ignored', reason, mac: '52:54:00:00:00:01' }]);
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

const BEHIND = testPlan({
  subnets: [LOCAL, RELAYED, { ...RELAYED, cidr: '10.8.0.0/24', dynamic: '10.8.0.5-10.8.0.9' }],
});
const LINK_8 = [5, 4, ...quad('10.8.0.0')];

test('a relay whose own address is elsewhere names the link (RFC 3527)', () => {
  const machine = new Machine(new DhcpRack(BEHIND), 1);
  const relay = { giaddr: '203.0.113.9', options: [[82, LINK_8] as const] };
  const offer = machine.discover(relay);
  assert.deepEqual([offer?.yiaddr, offer?.to, offer?.giaddr], ['10.8.0.5', '203.0.113.9', '203.0.113.9']);
  assert.equal(machine.select('10.8.0.5', relay)?.type, ACK);
});

test('a link that a client claims, with no relay, counts for nothing', () => {
  const offer = new Machine(new DhcpRack(BEHIND), 1).discover({ options: [[82, LINK_8]] });
  assert.equal(offer?.yiaddr, '192.168.127.111');
});

test('a client may select its subnet (RFC 3011), and is told so; the relay’s word goes first', () => {
  const selection = [118, quad('10.8.0.0')] as const;
  const offer = new Machine(new DhcpRack(BEHIND), 1).discover({ options: [selection] });
  assert.deepEqual([offer?.yiaddr, offer?.options.get(118)], ['10.8.0.5', quad('10.8.0.0')]);
  const link = [82, [5, 4, ...quad('10.0.7.0')]] as const;
  const relayed = new Machine(new DhcpRack(BEHIND), 1).discover({ giaddr: '10.8.0.1', options: [selection, link] });
  assert.equal(relayed?.yiaddr, '10.0.7.100');
});

test('a subnet selected that is not ours is refused', () => {
  const rack = new DhcpRack(BEHIND);
  assert.equal(new Machine(rack, 1).discover({ options: [[118, quad('172.16.0.0')]] }), undefined);
  assert.equal(rack.count('refused.unknown-subnet'), 1);
});

test('a relay that stands in for the server is the server identifier, in NAKs too (RFC 5107)', () => {
  const rack = new DhcpRack(BEHIND);
  const machine = new Machine(rack, 1);
  const relay = { giaddr: '10.0.7.1', options: [[82, [11, 4, ...quad('10.0.7.1')]] as const] };
  const rom = [60, [...Buffer.from('PXEClient:Arch:00000')]] as const;
  const offer = machine.discover({ ...relay, options: [...relay.options, rom] });
  assert.equal(dotted(offer?.options.get(54) ?? []), '10.0.7.1');
  assert.equal(offer?.siaddr, RACK);
  assert.equal(machine.select('10.0.7.100', { ...relay, server: '10.0.7.1' })?.type, ACK);
  const nak = machine.reboot('172.16.0.1', relay);
  assert.deepEqual([nak?.type, dotted(nak?.options.get(54) ?? [])], [NAK, '10.0.7.1']);
  assert.equal(machine.select('10.0.7.100', { ...relay, server: '10.0.7.2' }), undefined);
});

test('replies go to the relay’s port where it says that it listens there (RFC 8357), else to 67', () => {
  for (const [options, port] of [
    [[[82, [19, 0]]], 1067],
    [[[82, [1, 1, 7]]], 67],
    [[], 67],
  ] as const) {
    const rack = new DhcpRack(BEHIND);
    rack.sockets
      .get(ETH0.fd)
      ?.arrive(writePacket({ type: DISCOVER, giaddr: '10.0.7.1', options }), ip4(RACK), ip4('10.0.7.1'), 1067);
    const [offer] = rack.exchange([]);
    assert.deepEqual([offer?.to, offer?.port], ['10.0.7.1', port]);
  }
});

test('through an interface without a subnet clients are told of the address where boot files are', () => {
  const RIGHT = {
    fd: 11,
    transport: 'udp',
    interface: 'right',
    ifindex: 5,
    address: ip4('0.0.0.0'),
    port: 67,
  } as const;
  const rack = new DhcpRack(BEHIND, [ETH0, RIGHT, LINK]);
  const [offer] = rack.exchange([writePacket({ type: DISCOVER, giaddr: '10.0.7.1' })], '10.2.0.1', RIGHT.fd);
  assert.deepEqual([dotted(offer?.options.get(54) ?? []), offer?.source, offer?.ifindex], [RACK, RACK, 5]);
});
