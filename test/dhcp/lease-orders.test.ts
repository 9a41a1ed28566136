import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { LeaseWish } from '../../src/service/letters.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine, macOf } from './machine.ts';
import { ACK, OFFER } from './naive-packet.ts';
import { ip4, mac, testPlan } from './test-plan.ts';

const PLAN = testPlan({ hosts: [{ name: 'node9', macs: [macOf(9)], address: '192.168.127.221' }] });

function wish(rack: DhcpRack, line: number, n: number, address: string, more: Partial<LeaseWish> = {}): LeaseWish {
  return { line, address: ip4(address), mac: mac(macOf(n)), expires: Math.floor(rack.time.seconds) + 500, ...more };
}

test('a lease released by address ends: its name and the address are free, on disk before the answer', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  rack.kinds();
  const answer = rack.service.obey({ kind: 'release', of: ip4(address) });
  assert.deepEqual(
    answer.done.map((fact) => fact.mac),
    [mac(macOf(1))],
  );
  assert.equal(rack.leaseTable.size, 0);
  assert.deepEqual(rack.kinds(), ['dhcp.revoked']);
  assert.ok((rack.store.rows.get(ip4(address))?.expires ?? Infinity) <= rack.time.seconds);
  rack.time.pass(2);
  assert.deepEqual(rack.kinds(), []);
});

test('a lease released by MAC is that machine’s only', () => {
  const rack = new DhcpRack();
  const [first, second] = [new Machine(rack, 1).boot(), new Machine(rack, 2).boot()];
  rack.service.obey({ kind: 'release', of: { mac: mac(macOf(1)) } });
  assert.equal(rack.leaseTable.has(ip4(first)), false);
  assert.equal(rack.leaseTable.has(ip4(second)), true);
});

test('the lease of a host, kept for good, ends too', () => {
  const rack = new DhcpRack(testPlan({ hosts: [{ name: 'node1', macs: [macOf(1)] }] }));
  const address = new Machine(rack, 1).boot();
  rack.service.obey({ kind: 'release', of: ip4(address) });
  assert.equal(rack.store.rows.get(ip4(address))?.kept, false);
  assert.equal(rack.leaseTable.size, 0);
});

test('nobody’s address is released without an error and without a lease', () => {
  assert.deepEqual(new DhcpRack().service.obey({ kind: 'release', of: ip4('192.168.127.5') }), {
    done: [],
    refused: [],
  });
});

test('what the disk refuses to forget is not released', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  rack.store.failing = true;
  assert.match(rack.service.obey({ kind: 'release', of: ip4(address) }).fault ?? '', /can't be written: disk full/);
  assert.equal(rack.leaseTable.size, 1);
});

test('an imported lease is its client’s until the end it came with, under a clean name', () => {
  const rack = new DhcpRack();
  const taken = wish(rack, 1, 1, '192.168.127.130', { name: 'Node 1.example' });
  assert.deepEqual(rack.service.obey({ kind: 'import', leases: [taken] }), {
    done: [{ address: taken.address, mac: mac(macOf(1)), name: 'node-1', expires: taken.expires }],
    refused: [],
  });
  assert.equal(rack.store.rows.get(taken.address)?.expires, taken.expires);
  assert.equal(rack.leaseTable.get(taken.address)?.name, 'node-1');
  assert.equal(new Machine(rack, 1).reboot('192.168.127.130')?.type, ACK);
  rack.time.pass(400);
  assert.notEqual(new Machine(rack, 2).discover({ wants: '192.168.127.130' })?.yiaddr, '192.168.127.130');
});

const REFUSALS: readonly (readonly [what: string, n: number, address: string, more: Partial<LeaseWish>, RegExp])[] = [
  ['that ended', 1, '192.168.127.130', { expires: 5 }, /^192\.168\.127\.130: it ended at 1970-01-01T00:00:05\.000Z$/],
  ['of a foreign network', 1, '10.99.0.1', {}, /in none of the subnets/],
  ['outside the ranges', 1, '192.168.127.7', {}, /outside the range/],
  ['that someone holds', 1, '192.168.127.111', {}, /192\.168\.127\.111 is taken/],
  ['of a host’s address', 1, '192.168.127.221', {}, /belongs to host node9/],
  ['of a host at another address', 9, '192.168.127.130', {}, /this host has 192\.168\.127\.221/],
  ['of a machine that has another here', 7, '192.168.127.130', {}, /52:54:00:00:00:07 has 192\.168\.127\.111 here/],
];

for (const [what, n, address, more, reason] of REFUSALS) {
  test(`a lease ${what} is refused with its line and why`, () => {
    const rack = new DhcpRack(PLAN);
    assert.equal(new Machine(rack, 7).boot(), '192.168.127.111');
    const { done, refused } = rack.service.obey({ kind: 'import', leases: [wish(rack, 42, n, address, more)] });
    assert.deepEqual(done, []);
    assert.equal(refused[0]?.line, 42);
    assert.match(refused[0].reason, reason);
  });
}

test('of two leases of one machine the longer is taken, wherever it stands', () => {
  const rack = new DhcpRack();
  const short = wish(rack, 1, 1, '192.168.127.130', { expires: Math.floor(rack.time.seconds) + 50 });
  const { done, refused } = rack.service.obey({
    kind: 'import',
    leases: [short, wish(rack, 2, 1, '192.168.127.131')],
  });
  assert.deepEqual(
    done.map(({ address }) => address),
    [ip4('192.168.127.131')],
  );
  assert.deepEqual(refused, [{ line: 1, reason: `192.168.127.130: ${macOf(1)} has 192.168.127.131 here` }]);
});

test('importing twice changes nothing, and never shortens a lease', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  const end = rack.leaseTable.get(ip4(address))?.expires;
  const answer = rack.service.obey({ kind: 'import', leases: [wish(rack, 1, 1, address)] });
  assert.equal(answer.done[0]?.expires, end);
  assert.equal(rack.store.rows.get(ip4(address))?.expires, end);
});

test('an imported host gets its own address offered ever after', () => {
  const rack = new DhcpRack(PLAN);
  assert.equal(
    rack.service.obey({ kind: 'import', leases: [wish(rack, 1, 9, '192.168.127.221')] }).done[0]?.name,
    'node9',
  );
  assert.equal(new Machine(rack, 9).discover()?.type, OFFER);
});
