import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ARP, DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { macOf, Machine } from './machine.ts';
import { ACK, NAK, OFFER } from './naive-packet.ts';
import { ip4, mac, testPlan, type PlanWords } from './test-plan.ts';

const SQUATTER = '02:00:00:00:00:0b';
const [FIRST, SECOND, THIRD] = ['192.168.127.111', '192.168.127.112', '192.168.127.113'];

function rackOf(words: PlanWords = { subnets: [{ dynamic: `${FIRST}-${THIRD}` }] }): DhcpRack {
  return new DhcpRack(testPlan(words));
}

function see(rack: DhcpRack, address: string, by = SQUATTER): void {
  rack.service.learnSightings([{ address: ip4(address), mac: mac(by) }]);
}

test('an address that somebody uses is offered to nobody else, for as long as he is seen and ten minutes more', () => {
  const rack = rackOf();
  see(rack, FIRST);
  assert.equal(new Machine(rack, 1).discover()?.yiaddr, SECOND);
  assert.equal(new Machine(rack, 2).discover({ wants: FIRST })?.yiaddr, THIRD);
  rack.time.pass(599);
  see(rack, FIRST);
  rack.time.pass(599);
  for (const n of [3, 4, 5]) assert.notEqual(new Machine(rack, n).discover()?.yiaddr, FIRST);
  rack.time.pass(62);
  assert.equal(new Machine(rack, 6).discover()?.yiaddr, FIRST);
});

test('who uses it may have it: by its wish, and is not refused when nobody knows of its lease any more', () => {
  const rack = rackOf();
  see(rack, FIRST, macOf(1));
  see(rack, SECOND, macOf(2));
  assert.equal(new Machine(rack, 1).discover({ wants: FIRST })?.yiaddr, FIRST);
  assert.equal(new Machine(rack, 1).select(FIRST)?.type, ACK);
  // Nothing is known of its lease, but that is no reason to refuse it: RFC 2131 §4.3.2
  assert.equal(new Machine(rack, 2).renew(SECOND), undefined);
  assert.equal(new Machine(rack, 3).reboot(SECOND)?.type, NAK);
});

test('what was offered and is used by somebody else meanwhile is not given any more', () => {
  const rack = rackOf();
  const machine = new Machine(rack, 1);
  assert.equal(machine.discover()?.yiaddr, FIRST);
  see(rack, FIRST);
  assert.notEqual(machine.select(FIRST)?.type, ACK);
  assert.equal(machine.discover()?.yiaddr, SECOND);
});

test('a machine that uses what it was offered is no stranger to it', () => {
  const rack = rackOf();
  const machine = new Machine(rack, 1);
  machine.discover();
  see(rack, FIRST, macOf(1));
  assert.equal(machine.select(FIRST)?.type, ACK);
  see(rack, FIRST);
  // Its lease stands: the conflict is for people to end
  assert.equal(machine.select(FIRST)?.type, ACK);
  assert.equal(rack.count('avoided'), 0);
});

test('whoever waits for a look at the wire gets the next address at once', () => {
  const more = { conflictCheck: 'arp' } as const;
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: `${FIRST}-${THIRD}`, more }] }), [ETH0, LINK, ARP]);
  assert.equal(new Machine(rack, 1).discover(), undefined);
  see(rack, FIRST);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`, `probe ${SECOND}`]);
  assert.deepEqual(
    rack.wait(500).map(({ type, yiaddr }) => [type, yiaddr]),
    [[OFFER, SECOND]],
  );
});

test('the address of a host is not given to it while a stranger has it, and is when its own card has', () => {
  const hosts = [{ name: 'node1', macs: [macOf(1)], address: '192.168.127.222' }];
  const rack = rackOf({ hosts });
  see(rack, '192.168.127.222', macOf(1));
  assert.equal(new Machine(rack, 1).discover()?.yiaddr, '192.168.127.222');
  const other = rackOf({ hosts });
  see(other, '192.168.127.222');
  assert.equal(new Machine(other, 1).discover(), undefined);
});

test('one that has too many addresses for that to be true empties no range', () => {
  const rack = rackOf({ subnets: [{ dynamic: `${FIRST}-192.168.127.118` }] });
  for (let n = 111; n <= 118; n++) see(rack, `192.168.127.${n}`);
  assert.equal(rack.count('avoided'), 2);
  assert.equal(new Machine(rack, 1).discover()?.yiaddr, THIRD);
});

test('cards that are made up, one for each address, leave a quarter of a range to machines: said once, and when it is over', () => {
  const rack = rackOf({ subnets: [{ dynamic: `${FIRST}-192.168.127.118` }] });
  const claimAll = (round: number): void => {
    for (let n = 111; n <= 118; n++) see(rack, `192.168.127.${n}`, `06:00:00:00:0${round}:${n - 100}`);
  };
  for (let round = 0; round < 9; round++) claimAll(round);
  const claims = (): string[] => rack.kinds().filter((kind) => kind.startsWith('dhcp.range-'));
  assert.deepEqual(claims(), ['dhcp.range-claimed']);
  assert.equal(new Machine(rack, 1).discover()?.yiaddr, '192.168.127.117');
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, '192.168.127.118');
  assert.equal(new Machine(rack, 3).discover(), undefined);
  rack.time.pass(602);
  for (const n of [3, 4, 5]) assert.ok(new Machine(rack, n).discover());
  assert.deepEqual(claims(), ['dhcp.range-believed']);
});

test('an address that is nobody’s to give is let be', () => {
  const rack = rackOf();
  see(rack, '192.168.127.9');
  see(rack, '10.9.9.9');
  assert.equal(rack.count('avoided'), 0);
});
