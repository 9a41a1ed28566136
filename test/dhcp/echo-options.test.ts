import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, NAK, OFFER, type Reply } from './naive-packet.ts';

const ID = [255, 1, 2, 3, 4, 0, 3, 0, 1, 0x52, 0x54];
const RELAY = [1, 2, 0, 7];

test('OFFER, ACK and NAK carry the client identifier back, before the relay’s option', () => {
  const machine = new Machine(new DhcpRack(), 1);
  const extra = { giaddr: '10.0.7.1', options: [[61, ID] as const, [82, RELAY] as const] };
  const offer = machine.discover(extra);
  const replies = [offer, machine.select(offer?.yiaddr ?? '', extra), machine.reboot('172.16.0.1', extra)];
  assert.deepEqual(
    replies.map((reply) => reply?.type),
    [OFFER, ACK, NAK],
  );
  for (const reply of replies) {
    assert.deepEqual([reply?.options.get(61), reply?.options.get(82)], [ID, RELAY]);
    assert.deepEqual((reply as Reply).order.slice(-2), [61, 82]);
  }
});

test('a client without an identifier gets none', () => {
  assert.equal(new Machine(new DhcpRack(), 1).discover()?.options.has(61), false);
});
