import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, NAK } from './naive-packet.ts';
import { testPlan } from './test-plan.ts';

const PORT_7 = { giaddr: '192.168.127.254', options: [[82, [1, 1, 7]]] } as const;
const BY_PORT = { name: 'by-port', macs: [], circuitIds: ['07'] };

for (const [title, host, expected] of [
  ['with an address of its own', { ...BY_PORT, address: '192.168.127.50' }, '192.168.127.50'],
  ['that keeps one of the static range', BY_PORT, '192.168.127.221'],
] as const) {
  test(`a host known by its port, ${title}, renews past the relay that names the port`, () => {
    const rack = new DhcpRack(testPlan({ hosts: [host] }));
    const machine = new Machine(rack, 1);
    assert.equal(machine.boot(PORT_7), expected);
    assert.equal(machine.renew(expected)?.type, ACK);
    rack.restart(testPlan({ hosts: [host] }));
    assert.equal(machine.renew(expected)?.type, ACK);
  });
}

test('nobody else is taken for the host by naming its address', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ ...BY_PORT, address: '192.168.127.50' }] }));
  new Machine(rack, 1).boot(PORT_7);
  assert.equal(new Machine(rack, 2).renew('192.168.127.50')?.type, NAK);
});

test('a host that has left its port loses the address once its relay says so', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ ...BY_PORT, address: '192.168.127.50' }] }));
  const machine = new Machine(rack, 1);
  machine.boot(PORT_7);
  assert.equal(machine.rebind('192.168.127.50', { ...PORT_7, options: [[82, [1, 1, 8]]] })?.type, NAK);
});
