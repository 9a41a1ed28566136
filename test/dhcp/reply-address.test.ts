import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack, ETH0 } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, OFFER } from './naive-packet.ts';
import { RACK, testPlan } from './test-plan.ts';

test('a client that can take unicast gets it at its hardware address, where it answers no ARP yet', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  assert.deepEqual([offer?.via, offer?.to, offer?.port, offer?.linkMac], ['link', offer?.yiaddr, 68, machine.mac]);
  assert.deepEqual([offer?.source, offer?.ifindex, offer?.type], [RACK, 2, OFFER]);
  const ack = machine.select(offer?.yiaddr ?? '');
  assert.deepEqual([ack?.via, ack?.to, ack?.linkMac, ack?.type], ['link', offer?.yiaddr, machine.mac, ACK]);
});

test('a client that asks for broadcast gets broadcast', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover({ broadcast: true });
  assert.deepEqual([offer?.via, offer?.to, offer?.port, offer?.flags], ['udp', '255.255.255.255', 68, 0x8000]);
  assert.deepEqual([offer?.source, offer?.ifindex], [RACK, 2]);
  const ack = machine.select(offer?.yiaddr ?? '', { broadcast: true });
  assert.deepEqual([ack?.via, ack?.to], ['udp', '255.255.255.255']);
});

test('a rack without a raw socket broadcasts instead', () => {
  const rack = new DhcpRack(testPlan(), [ETH0]);
  const offer = new Machine(rack, 1).discover();
  assert.deepEqual([offer?.via, offer?.to, offer?.port], ['udp', '255.255.255.255', 68]);
});

test('what came through a relay goes back to it, on the port of servers', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover({ giaddr: '10.0.7.1' });
  assert.deepEqual([offer?.via, offer?.to, offer?.port, offer?.giaddr], ['udp', '10.0.7.1', 67, '10.0.7.1']);
  const ack = machine.select(offer?.yiaddr ?? '', { giaddr: '10.0.7.1', broadcast: true });
  assert.deepEqual([ack?.via, ack?.to, ack?.port, ack?.flags], ['udp', '10.0.7.1', 67, 0x8000]);
});

test('an OFFER never goes to the address in ciaddr', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover({ ciaddr: '203.0.113.7' });
  assert.deepEqual([offer?.via, offer?.to, offer?.ciaddr], ['link', offer?.yiaddr, '0.0.0.0']);
});
