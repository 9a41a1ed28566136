import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { formatMac, type Mac } from '../../src/addr/mac.ts';
import { LeaseTable, machineOf } from '../../src/service/lease-table.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { RackEvent } from '../../src/timeline/event.ts';

const CLOCK = { now: () => 50_000, monotonic: () => 0 };
const NODE1: LeaseFact = { address: toIp4(0x0a000001), mac: 0x525400000001 as Mac, name: 'node1', expires: 100 };
const NODE2: LeaseFact = { address: toIp4(0x0a000002), mac: 0x525400000002 as Mac };
const REFUSED: RackEvent = { kind: 'tftp.refused', file: 'x', reason: 'no such file', at: 1, source: 'tftp' };

test('the table holds what is bound, as last told, until it ends', () => {
  const table = new LeaseTable(CLOCK);
  table.learn([NODE1, NODE2], []);
  table.learn([{ ...NODE1, expires: 200 }], []);
  assert.equal(table.size, 2);
  assert.deepEqual(table.all(), [{ ...NODE1, expires: 200 }, NODE2]);
  table.learn([], [NODE1.address, toIp4(7)]);
  assert.deepEqual(table.all(), [NODE2]);
});

test('a lease tells the MAC, and the host only where the MAC does not', () => {
  assert.deepEqual(machineOf(NODE1), { mac: NODE1.mac });
  assert.deepEqual(machineOf({ ...NODE1, host: true }), { mac: NODE1.mac, host: 'node1' });
  assert.deepEqual(machineOf(undefined), {});
});

test('in one letter what ended goes first', () => {
  const table = new LeaseTable(CLOCK);
  table.learn([NODE1], []);
  table.learn([{ ...NODE2, address: NODE1.address }], [NODE1.address]);
  assert.deepEqual(table.all(), [{ ...NODE2, address: NODE1.address }]);
});

test('an event that names only an address is given the machine that has it', () => {
  const table = new LeaseTable(CLOCK);
  table.learn([NODE1], []);
  assert.deepEqual(table.nameMachine({ ...REFUSED, address: '10.0.0.1' }), {
    ...REFUSED,
    address: '10.0.0.1',
    mac: '52:54:00:00:00:01',
  });
});

const LEFT_ALONE: readonly (readonly [title: string, event: RackEvent])[] = [
  ['of an address without a lease', { ...REFUSED, address: '10.0.0.9' }],
  ['without an address', REFUSED],
  ['of a machine already named', { ...REFUSED, address: '10.0.0.1', mac: formatMac(NODE2.mac) }],
  ['of something that is no IPv4 address', { ...REFUSED, address: 'fe80::1' }],
];

for (const [title, event] of LEFT_ALONE) {
  test(`an event ${title} stays as it is`, () => {
    const table = new LeaseTable(CLOCK);
    table.learn([NODE1], []);
    assert.equal(table.nameMachine(event), event);
  });
}

test('nobody holds an address whose lease ran out, told or not', () => {
  let now = 99_999;
  const table = new LeaseTable({ now: () => now, monotonic: () => 0 });
  table.learn([NODE1, NODE2], []);
  assert.equal(table.holder(NODE1.address), NODE1);
  now = 100_000;
  assert.equal(table.holder(NODE1.address), undefined);
  assert.equal(table.holder(NODE2.address), NODE2);
});

test('an address that its machine has from elsewhere names it, and is no lease', () => {
  const table = new LeaseTable(CLOCK);
  const elsewhere: LeaseFact = {
    address: toIp4(0x0a000003),
    mac: 0x525400000003 as Mac,
    expires: 100,
    elsewhere: true,
  };
  table.learn([NODE1, elsewhere], []);
  assert.equal(table.nameMachine({ ...REFUSED, address: '10.0.0.3' }).mac, '52:54:00:00:00:03');
  assert.deepEqual([table.size, table.all()], [1, [NODE1]]);
  assert.deepEqual(table.facts(), [NODE1, elsewhere]);
  table.learn([], [elsewhere.address]);
  assert.equal(table.holder(elsewhere.address), undefined);
});
