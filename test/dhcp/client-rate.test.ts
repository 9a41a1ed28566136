import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mac } from '../../src/addr/mac.ts';
import { ClientRate } from '../../src/dhcp/client-rate.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { HandTime } from './hand-time.ts';
import { macOf, Machine } from './machine.ts';
import { DISCOVER, writePacket } from './naive-packet.ts';

test('one card that never stops is thrown away, told of once a minute, and starves nobody', () => {
  const rack = new DhcpRack();
  const flood = Array.from({ length: 1000 }, () => writePacket({ type: DISCOVER, mac: macOf(1) }));
  assert.equal(rack.exchange(flood).length, 40);
  assert.equal(rack.count('refused.rate-limit'), 960);
  rack.time.pass(30);
  rack.exchange(flood);
  const tellings = rack.told.filter((event) => event.kind === 'dhcp.ignored');
  assert.deepEqual(tellings, [
    {
      kind: 'dhcp.ignored',
      reason: 'it sends more packets than any machine that works, and most are thrown away',
      mac: '52:54:00:00:00:01',
    },
  ]);
  assert.equal(new Machine(rack, 2).boot().length > 0, true);
  rack.time.pass(31);
  rack.exchange(flood);
  assert.equal(rack.told.filter((event) => event.kind === 'dhcp.ignored').length, 2);
});

test('when it has stopped it is served again', () => {
  const rack = new DhcpRack();
  rack.exchange(Array.from({ length: 100 }, () => writePacket({ type: DISCOVER, mac: macOf(1) })));
  assert.equal(new Machine(rack, 1).discover(), undefined);
  rack.time.pass(1);
  assert.equal(new Machine(rack, 1).boot().length > 0, true);
});

test('a thousand machines of one make are told apart', () => {
  const rate = new ClientRate(new HandTime());
  const macs = Array.from({ length: 1000 }, (_, i) => (0x525400000000 + i) as Mac);
  for (let i = 0; i < 40; i++) for (const mac of macs) rate.take(mac);
  const excess = macs.filter((mac) => rate.take(mac) !== 'fine');
  assert.equal(excess.length, 1000);
});

test('a flood of forged addresses takes no more memory than its bound: whose place it takes starts anew', () => {
  const rate = new ClientRate(new HandTime());
  for (let i = 0; i < 41; i++) rate.take(1 as Mac);
  assert.equal(rate.take(1 as Mac), 'excess');
  for (let mac = 2; mac < 200_000; mac++) rate.take(mac as Mac);
  assert.equal(rate.take(1 as Mac), 'fine');
});
