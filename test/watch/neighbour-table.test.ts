import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { NeighbourTable, type Seen } from '../../src/watch/neighbour-table.ts';

const PLAIN = { vlan: 0, innerVlan: 0 };
const NOW = 1_700_000_000_000;

function see(table: NeighbourTable, device: string, n: number, card = n): Seen {
  const seen = table.see(device, PLAIN, { address: toIp4(0xc0a87f00 + n), mac: (0x020000000000 + card) as Mac }, NOW);
  assert.ok(seen);
  return seen;
}

function know(table: NeighbourTable, device: string, n: number): void {
  table.prove(see(table, device, n).neighbour);
}

function names(table: NeighbourTable): string[] {
  return Array.from(
    table.all('all'),
    ({ place, address, isKnown }) => `${place.device} ${address & 255}${isKnown ? '' : '?'}`,
  );
}

test('strangers make room for strangers, and for nobody else; who spoke last stays', () => {
  const table = new NeighbourTable({ strangers: 2, known: 10, inAll: 10 });
  know(table, 'eth0', 1);
  for (const n of [2, 3, 2, 4]) see(table, 'eth0', n);
  assert.deepEqual(names(table), ['eth0 1', 'eth0 2?', 'eth0 4?']);
  assert.equal(table.evicted, 1);
});

test('known ones make room on their own interface, and of all interfaces the fullest does', () => {
  const table = new NeighbourTable({ strangers: 2, known: 2, inAll: 3 });
  for (const n of [1, 2, 3]) know(table, 'eth0', n);
  assert.deepEqual(names(table), ['eth0 2', 'eth0 3']);
  for (const n of [4, 5]) know(table, 'eth1', n);
  assert.deepEqual(names(table), ['eth0 3', 'eth1 4', 'eth1 5']);
  assert.deepEqual([table.known, table.strangers, table.evicted], [3, 0, 2]);
});

test('of one address a few MACs are remembered, known ones before strangers', () => {
  const table = new NeighbourTable();
  table.prove(see(table, 'eth0', 9, 1).neighbour);
  for (let card = 2; card < 50; card++) see(table, 'eth0', 9, card);
  const cards = table.holders('eth0', toIp4(0xc0a87f09)).map(({ mac }) => mac % 256);
  assert.deepEqual(cards, [1, 47, 48, 49]);
});

test('VLANs that are made up end, and those that are empty make room', () => {
  const table = new NeighbourTable({ strangers: 300, known: 10, inAll: 10 });
  const pair = { address: toIp4(1), mac: 2 as Mac };
  const inVlan = (vlan: number, innerVlan = 0): boolean =>
    table.see('eth0', { vlan, innerVlan }, pair, NOW) !== undefined;
  for (let vlan = 1; vlan <= 257; vlan++) assert.equal(inVlan(vlan), true);
  assert.deepEqual([inVlan(258), inVlan(1, 5), inVlan(7)], [false, false, true]);
  for (const neighbour of table.all('all')) if (neighbour.place.vlan === 7) table.forget(neighbour);
  assert.deepEqual([inVlan(258), inVlan(7)], [true, false]);
});

test('with how many addresses a MAC is known follows what is known', () => {
  const table = new NeighbourTable({ strangers: 9, known: 2, inAll: 9 });
  for (const n of [1, 2, 3]) table.prove(see(table, 'eth0', n, 7).neighbour);
  see(table, 'eth0', 4, 7);
  assert.equal(table.spreadOf((0x020000000000 + 7) as Mac), 2);
  table.retain(new Set(['eth1']));
  assert.deepEqual([table.spreadOf((0x020000000000 + 7) as Mac), table.known, names(table)], [0, 0, []]);
});
