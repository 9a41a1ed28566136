import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { NeighbourTable, type Limits, type Seen } from '../../src/watch/neighbour-table.ts';

const PLAIN = { vlan: 0, innerVlan: 0 };
const NOW = 1_700_000_000_000;

const DAY = 86_400_000;

function tableOf(limits?: Limits): NeighbourTable {
  return new NeighbourTable(() => undefined, limits);
}

function see(table: NeighbourTable, device: string, n: number, card = n, now = NOW): Seen {
  const pair = { address: toIp4(0xc0a87f00 + n), mac: (0x020000000000 + card) as Mac };
  const seen = table.see(device, PLAIN, pair, now);
  assert.ok(typeof seen === 'object');
  return seen;
}

/** Whether it is known then. */
function know(
  table: NeighbourTable,
  device: string,
  n: number,
  { card = n, now = NOW, hasRight = true } = {},
): boolean {
  const { neighbour } = see(table, device, n, card, now);
  table.prove(neighbour, hasRight, now);
  return neighbour.isKnown;
}

function names(table: NeighbourTable): string[] {
  return Array.from(
    table.all('all'),
    ({ place, address, isKnown }) => `${place.device} ${address & 255}${isKnown ? '' : '?'}`,
  );
}

test('strangers make room for strangers, and for nobody else; who spoke last stays', () => {
  const table = tableOf({ strangers: 2, known: 10, inAll: 10 });
  know(table, 'eth0', 1);
  for (const n of [2, 3, 2, 4]) see(table, 'eth0', n);
  assert.deepEqual(names(table), ['eth0 1', 'eth0 2?', 'eth0 4?']);
  assert.equal(table.evicted, 1);
});

test('known ones make room on their own interface, and of all interfaces the fullest does', () => {
  const table = tableOf({ strangers: 2, known: 2, inAll: 3 });
  for (const n of [1, 2, 3]) know(table, 'eth0', n);
  assert.deepEqual(names(table), ['eth0 2', 'eth0 3']);
  for (const n of [4, 5]) know(table, 'eth1', n);
  assert.deepEqual(names(table), ['eth0 3', 'eth1 4', 'eth1 5']);
  assert.deepEqual([table.known, table.strangers, table.evicted], [3, 0, 2]);
});

test('of one address a few MACs are remembered, known ones before strangers', () => {
  const table = tableOf();
  know(table, 'eth0', 9, { card: 1 });
  for (let card = 2; card < 50; card++) see(table, 'eth0', 9, card);
  const cards = table.holders('eth0', toIp4(0xc0a87f09)).map(({ mac }) => mac % 256);
  assert.deepEqual(cards, [1, 47, 48, 49]);
});

test('four that are known leave no room for a fifth, until one of them was not seen for ten minutes', () => {
  const table = tableOf();
  for (const card of [1, 2, 3, 4]) know(table, 'eth0', 9, { card });
  see(table, 'eth0', 8);
  const fifth = { address: toIp4(0xc0a87f09), mac: 0x020000000005 as Mac };
  assert.equal(table.see('eth0', PLAIN, fifth, NOW + 599_999), 'holders');
  assert.deepEqual([table.known, table.strangers, table.evicted], [4, 1, 0]);
  for (const card of [1, 3, 4]) see(table, 'eth0', 9, card, NOW + 600_000);
  assert.ok(know(table, 'eth0', 9, { card: 5, now: NOW + 600_000 }));
  const cards = table.holders('eth0', fifth.address).map(({ mac }) => mac % 256);
  assert.deepEqual([cards, table.known, table.strangers], [[1, 3, 4, 5], 4, 1]);
});

test('a full table takes nobody who only answers before somebody was away for a day, and who has a right at once', () => {
  const forgotten: number[] = [];
  const table = new NeighbourTable(({ address }) => void forgotten.push(address & 255), {
    strangers: 2,
    known: 2,
    inAll: 9,
  });
  for (const n of [1, 2]) know(table, 'eth0', n);
  assert.equal(know(table, 'eth0', 3, { hasRight: false, now: NOW + DAY - 1 }), false);
  assert.deepEqual([names(table), forgotten], [['eth0 1', 'eth0 2', 'eth0 3?'], []]);
  assert.ok(know(table, 'eth0', 3, { hasRight: false, now: NOW + DAY }));
  assert.ok(know(table, 'eth0', 4, { now: NOW + DAY }));
  assert.deepEqual(
    [names(table), forgotten],
    [
      ['eth0 3', 'eth0 4'],
      [1, 2],
    ],
  );
});

test('VLANs that are made up leave the own wire its place', () => {
  const table = tableOf();
  for (let vlan = 1; vlan <= 300; vlan++)
    table.see('eth0', { vlan, innerVlan: 0 }, { address: toIp4(1), mac: 2 as Mac }, NOW);
  assert.ok(know(table, 'eth0', 9));
});

test('VLANs that are made up end, and those that are empty make room', () => {
  const table = tableOf({ strangers: 300, known: 10, inAll: 10 });
  const pair = { address: toIp4(1), mac: 2 as Mac };
  const inVlan = (vlan: number, innerVlan = 0): boolean =>
    table.see('eth0', { vlan, innerVlan }, pair, NOW) !== 'vlans';
  for (let vlan = 1; vlan <= 256; vlan++) assert.equal(inVlan(vlan), true);
  assert.deepEqual([inVlan(257), inVlan(1, 5), inVlan(7)], [false, false, true]);
  for (const neighbour of table.all('all')) if (neighbour.place.vlan === 7) table.forget(neighbour);
  assert.deepEqual([inVlan(257), inVlan(7)], [true, false]);
});

test('with how many addresses a MAC is known follows what is known', () => {
  const table = tableOf({ strangers: 9, known: 2, inAll: 9 });
  for (const n of [1, 2, 3]) know(table, 'eth0', n, { card: 7 });
  see(table, 'eth0', 4, 7);
  assert.equal(table.spreadOf((0x020000000000 + 7) as Mac), 2);
  table.retain(new Set(['eth1']));
  assert.deepEqual([table.spreadOf((0x020000000000 + 7) as Mac), table.known, names(table)], [0, 0, []]);
});
