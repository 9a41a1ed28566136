import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { macOf } from './machine.ts';
import { DISCOVER, OFFER, writePacket } from './naive-packet.ts';
import { ip4, RELAYED, testPlan } from './test-plan.ts';

test('each refusal is told in plain words, once a minute for a sender and a reason', () => {
  const rack = new DhcpRack();
  const bad = [new Uint8Array(3), writePacket({ type: OFFER }), writePacket({ htype: 32, type: DISCOVER })];
  rack.exchange([...bad, ...bad]);
  assert.deepEqual(rack.told, [
    {
      kind: 'dhcp.ignored',
      reason: "its packet can't be read: expected at least 240 bytes, found 3",
      address: '0.0.0.0',
    },
    { kind: 'dhcp.ignored', reason: 'expected a message of a DHCP client, found OFFER', mac: macOf(1) },
    {
      kind: 'dhcp.ignored',
      reason: 'expected Ethernet (type 1, 6 bytes), found hardware type 32 with 6 bytes',
      address: '0.0.0.0',
    },
  ]);
  for (const counter of ['bad-packet', 'message-type', 'hardware-type'])
    assert.equal(rack.count(`refused.${counter}`), 2);
  rack.time.pass(61);
  rack.exchange(bad);
  assert.equal(rack.told.length, 6);
});

test('where only relays are listened for, machines on the wire are passed over without a word', () => {
  const right = { ...ETH0, interface: 'right', address: ip4('0.0.0.0') };
  const rack = new DhcpRack(testPlan({ subnets: [RELAYED] }), [right, LINK]);
  assert.equal(rack.ask(writePacket({ type: DISCOVER })), undefined);
  assert.deepEqual([rack.count('passed-over'), rack.told.length], [1, 0]);
});
