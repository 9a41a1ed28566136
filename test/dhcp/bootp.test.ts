import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, DISCOVER, letters, OFFER, writePacket } from './naive-packet.ts';
import { ip4, testPlan } from './test-plan.ts';

const NODE1 = { name: 'node1', macs: ['52:54:00:00:00:01'] };
const DYNAMIC = { more: { bootp: 'dynamic' } } as const;
const BOOTP = writePacket({});

test('a BOOTP host gets its address in a BOOTP packet: 300 bytes, nothing of DHCP in it', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ ...NODE1, address: '192.168.127.50' }] }));
  const reply = rack.ask(BOOTP);
  assert.deepEqual([reply?.yiaddr, reply?.type, reply?.length], ['192.168.127.50', 0, 300]);
  assert.deepEqual(reply?.order, [12, 1, 3, 6, 15, 28]);
  assert.deepEqual(reply?.options.get(12), letters('node1'));
  assert.deepEqual([reply?.via, reply?.to, reply?.linkMac], ['link', '192.168.127.50', '52:54:00:00:00:01']);
  assert.deepEqual([rack.count('sent.bootp'), rack.count('sent.ack')], [1, 0]);
  assert.deepEqual(rack.kinds(), ['dhcp.bootp', 'dhcp.ack']);
  assert.deepEqual(rack.trace, ['write', 'send']);
});

test('a BOOTP host without an address of its own keeps one from the static range', () => {
  const rack = new DhcpRack(testPlan({ hosts: [NODE1] }));
  assert.equal(rack.ask(BOOTP)?.yiaddr, '192.168.127.221');
  rack.time.pass(100_000);
  assert.equal(rack.ask(BOOTP)?.yiaddr, '192.168.127.221');
});

test('what a client older than options sends is served as well', () => {
  const packet = readHexFixture('dhcp/bootp-request');
  const mac = Array.from(packet.subarray(28, 34), (byte) => byte.toString(16).padStart(2, '0')).join(':');
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'old', macs: [mac], address: '192.168.127.51' }] }));
  assert.equal(rack.ask(packet)?.yiaddr, '192.168.127.51');
});

test('the dynamic range is not for BOOTP unless the file says so', () => {
  for (const plan of [testPlan(), testPlan({ subnets: [{ static: null }], hosts: [NODE1] })]) {
    const rack = new DhcpRack(plan);
    assert.equal(rack.ask(BOOTP), undefined);
    assert.deepEqual(rack.kinds(), ['dhcp.bootp', 'dhcp.ignored']);
    assert.deepEqual([rack.count('refused.bootp'), rack.store.commits.length], [1, 0]);
  }
});

test('where it is, a client that never renews keeps its address, and no end of it is told', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ ...DYNAMIC, dynamic: '192.168.127.111-192.168.127.111' }] }));
  assert.equal(rack.ask(BOOTP)?.yiaddr, '192.168.127.111');
  assert.equal(rack.leaseTable.get(ip4('192.168.127.111'))?.expires, undefined);
  rack.time.pass(400 * 86_400);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  assert.equal(rack.ask(BOOTP)?.yiaddr, '192.168.127.111');
  assert.equal(rack.count('expired'), 0);
});

test('a client that goes on to DHCP has a lease with an end', () => {
  const rack = new DhcpRack(testPlan({ subnets: [DYNAMIC] }));
  const address = rack.ask(BOOTP)?.yiaddr;
  assert.equal(new Machine(rack, 1).boot(), address);
  rack.time.pass(4000);
  assert.equal(rack.leaseTable.size, 0);
});

test('a DISCOVER that allows it is answered with an ACK at once, on disk first, where the file says so', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ more: { rapidCommit: true } }] }));
  const ack = new Machine(rack, 1).discover({ options: [[80, []]] });
  assert.equal(ack?.type, ACK);
  assert.deepEqual(ack.options.get(80), []);
  assert.ok(ack.options.has(51));
  assert.deepEqual(rack.trace, ['write', 'send']);
  assert.equal(new Machine(rack, 1).renew(ack.yiaddr)?.type, ACK);
});

test('otherwise it gets an OFFER without the option', () => {
  const rapid = new DhcpRack(testPlan({ subnets: [{ more: { rapidCommit: true } }] }));
  assert.equal(rapid.ask(writePacket({ type: DISCOVER }))?.type, OFFER);
  const plain = new Machine(new DhcpRack(), 1).discover({ options: [[80, []]] });
  assert.deepEqual([plain?.type, plain?.options.has(80)], [OFFER, false]);
});
