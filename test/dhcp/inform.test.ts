import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { ACK, INFORM, writePacket } from './naive-packet.ts';
import { RACK, testPlan } from './test-plan.ts';

const OWN = '192.168.127.50';

test('a client that has its address is told the options it asks for, and no lease', () => {
  const rack = new DhcpRack();
  const ack = rack.ask(writePacket({ type: INFORM, ciaddr: OWN, options: [[55, [6, 15, 51, 58, 59]]] }));
  assert.equal(ack?.type, ACK);
  assert.deepEqual([ack.ciaddr, ack.yiaddr, ack.to, ack.port, ack.via], [OWN, '0.0.0.0', OWN, 68, 'udp']);
  assert.deepEqual(
    ack.order.filter((code) => ![54, 53].includes(code)).toSorted((a, b) => a - b),
    [1, 6, 15],
  );
  assert.deepEqual(rack.store.commits, []);
  assert.equal(rack.leaseTable.size, 0);
  assert.deepEqual(rack.kinds(), ['dhcp.inform']);
});

test('the answer goes to the client itself, broadcast bit and relay notwithstanding', () => {
  const rack = new DhcpRack();
  assert.equal(rack.ask(writePacket({ type: INFORM, ciaddr: OWN, broadcast: true }))?.to, OWN);
  const relayed = rack.ask(writePacket({ type: INFORM, ciaddr: '10.0.7.9', giaddr: '10.0.7.1' }), RACK);
  assert.deepEqual([relayed?.to, relayed?.port], ['10.0.7.9', 68]);
});

test('someone else’s address does not matter: leases are not looked at', () => {
  const plan = testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:00:00:09'], address: OWN }] });
  assert.equal(new DhcpRack(plan).ask(writePacket({ type: INFORM, ciaddr: OWN }))?.type, ACK);
});

for (const [what, ciaddr] of [
  ['no address', '0.0.0.0'],
  ['an address of another network', '172.16.0.5'],
] as const) {
  test(`a client that says it has ${what} is not answered, and told why`, () => {
    const rack = new DhcpRack();
    assert.equal(rack.ask(writePacket({ type: INFORM, ciaddr })), undefined);
    assert.deepEqual(rack.kinds(), ['dhcp.ignored']);
  });
}
