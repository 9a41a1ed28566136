import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostLabel } from '../../src/dhcp/client.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { letters, quad } from './naive-packet.ts';
import { testPlan } from './test-plan.ts';

const LABELS: readonly (readonly [string, string | undefined])[] = [
  ['node1', 'node1'],
  ['Node 1.example.com', 'node-1'],
  ['DESKTOP-1A2B3C4', 'desktop-1a2b3c4'],
  ["Bob's PC", 'bob-s-pc'],
  ['--x--', 'x'],
  ['a_b', 'a-b'],
  ['$(reboot)', 'reboot'],
  ['n'.repeat(200), 'n'.repeat(63)],
  [`${'n'.repeat(62)}-tail`, 'n'.repeat(62)],
  ['.example.com', undefined],
  ['...', undefined],
  ['*', undefined],
  ['', undefined],
];

for (const [said, label] of LABELS) {
  test(`a client that calls itself "${said.slice(0, 30)}" is known as ${label?.slice(0, 30) ?? 'nothing'}`, () => {
    assert.equal(hostLabel(said), label);
    const rack = new DhcpRack();
    new Machine(rack, 1).boot({ name: said });
    assert.equal([...rack.leaseTable.values()][0]?.name, label);
  });
}

test('bytes that are no text make no name', () => {
  const rack = new DhcpRack();
  new Machine(rack, 1).boot({ options: [[12, [0xc3, 0xa9, 1, 2]]] });
  assert.equal([...rack.leaseTable.values()][0]?.name, undefined);
});

test("nobody takes a host's name", () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:00:00:09'] }] }));
  const machine = new Machine(rack, 1);
  machine.boot({ name: 'NODE1.elsewhere' });
  assert.equal([...rack.leaseTable.values()][0]?.name, undefined);
  assert.equal(machine.discover({ name: 'node1' })?.options.has(12), false);
});

test('a host has its own name, whatever it calls itself', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:00:00:01'] }] }));
  const machine = new Machine(rack, 1);
  machine.boot({ name: 'localhost' });
  assert.equal([...rack.leaseTable.values()][0]?.name, 'node1');
  assert.deepEqual(machine.discover()?.options.get(12), letters('node1'));
});

test('ROM, loader and installer are one client, whatever client identifier they send', () => {
  const rack = new DhcpRack();
  const rom = new Machine(rack, 1);
  const address = rom.boot({ options: [[61, [0, 1, 2, 3]]] });
  assert.equal(rom.boot({ options: [[61, [255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 9]]] }), address);
  assert.equal(rom.boot(), address);
  assert.equal(
    rom.discover({
      options: [
        [61, [1]],
        [50, quad('192.168.127.130')],
      ],
    })?.yiaddr,
    address,
  );
});

const USE = testPlan({ subnets: [{ more: { clientId: 'use' } }] });
const DUID = [61, [255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 9]] as const;

test('where identifiers are used, two that one card sends are two clients, and one from two cards is one', () => {
  const rack = new DhcpRack(USE);
  const address = new Machine(rack, 1).boot({ options: [DUID] });
  assert.notEqual(new Machine(rack, 1).boot({ options: [[61, [0, 7]]] }), address);
  assert.equal(new Machine(rack, 2).boot({ options: [DUID] }), address);
  assert.deepEqual(new Set(rack.told.map(({ mac }) => mac)), new Set(['52:54:00:00:00:01', '52:54:00:00:00:02']));
});

test('even there ROM and iPXE share the address of the MAC, and so does a client whose identifier is its MAC', () => {
  const rack = new DhcpRack(USE);
  const machine = new Machine(rack, 1);
  const plain = machine.boot();
  assert.equal(machine.boot({ options: [DUID, [60, letters('PXEClient:Arch:00007')]] }), plain);
  assert.equal(
    machine.boot({
      options: [
        [61, [0, 1]],
        [77, letters('iPXE')],
      ],
    }),
    plain,
  );
  assert.equal(machine.boot({ options: [[61, [1, 0x52, 0x54, 0, 0, 0, 1]]] }), plain);
});
