import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassMatch, Plan } from '../../src/plan/plan.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine, macOf } from './machine.ts';
import { ACK, letters, NAK, writePacket } from './naive-packet.ts';
import { ip4, mac, range, testPlan, type PlanWords } from './test-plan.ts';

const PORT_7 = { options: [[82, [1, 1, 7]]] } as const;
const PORT_8 = { options: [[82, [1, 1, 8]]] } as const;
const RELAY = '192.168.127.254';
const FIRST_OF_POOL = '192.168.127.150';
const LAST_OF_POOL = '192.168.127.151';
const FIRST_OF_ALL = '192.168.127.111';

function planWith(match: ClassMatch, words: PlanWords = {}, dynamic?: null): Plan {
  const pools = [{ range: range(`${FIRST_OF_POOL}-${LAST_OF_POOL}`), class: 'row-7' }];
  const subnets = [{ more: { pools }, ...(dynamic === null && { dynamic }) }];
  const classes = [{ name: 'row-7', match, options: { settings: [], always: [] } }];
  return { ...testPlan({ ...words, subnets }), classes };
}

const BY_PORT = planWith({ circuitIds: ['07'] });

test('a machine of the class is given from its pool, and nobody else is', () => {
  const rack = new DhcpRack(BY_PORT);
  assert.equal(new Machine(rack, 1).boot(PORT_7), FIRST_OF_POOL);
  assert.equal(new Machine(rack, 2).boot(PORT_8), FIRST_OF_ALL);
  assert.equal(new Machine(rack, 3).discover({ ...PORT_8, wants: LAST_OF_POOL })?.yiaddr, '192.168.127.112');
  assert.equal(new Machine(rack, 4).reboot(LAST_OF_POOL, PORT_8), undefined);
  assert.equal(new Machine(rack, 4).select(LAST_OF_POOL, PORT_8)?.type, NAK);
  assert.equal(new Machine(rack, 5).discover({ ...PORT_7, wants: LAST_OF_POOL })?.yiaddr, LAST_OF_POOL);
});

test('once its pool is full the class is given from the dynamic range, and back in it when it asks anew', () => {
  const rack = new DhcpRack(BY_PORT);
  for (const n of [1, 2]) new Machine(rack, n).boot(PORT_7);
  const third = new Machine(rack, 3);
  assert.equal(third.boot(PORT_7), FIRST_OF_ALL);
  new Machine(rack, 1).release(FIRST_OF_POOL);
  assert.equal(third.discover(PORT_7)?.yiaddr, FIRST_OF_POOL);
});

test('where there is no dynamic range, only the class is given an address', () => {
  const rack = new DhcpRack(planWith({ circuitIds: ['07'] }, {}, null));
  for (const n of [1, 2]) new Machine(rack, n).boot(PORT_7);
  assert.equal(new Machine(rack, 3).discover(PORT_7), undefined);
  assert.equal(rack.count('refused.exhausted'), 1);
  assert.equal(new Machine(rack, 4).discover(PORT_8), undefined);
  assert.equal(rack.count('refused.exhausted'), 1);
});

test('a lease of the pool is renewed past the relay, which then says nothing of the port', () => {
  const rack = new DhcpRack(BY_PORT);
  const machine = new Machine(rack, 1);
  const behind = { ...PORT_7, giaddr: RELAY };
  const address = machine.boot(behind);
  assert.equal(machine.renew(address)?.type, ACK);
  assert.equal(machine.rebind(address, behind)?.type, ACK);
  assert.equal(new Machine(rack, 2).renew(LAST_OF_POOL), undefined);
});

test('a machine that moved to another port loses the address of the pool', () => {
  const rack = new DhcpRack(BY_PORT);
  const machine = new Machine(rack, 1);
  const address = machine.boot(PORT_7);
  assert.equal(machine.reboot(address, PORT_8)?.type, NAK);
  assert.equal(machine.boot(PORT_8), FIRST_OF_ALL);
});

test('a pool goes by whatever its class goes by', () => {
  const rack = new DhcpRack(planWith({ userClasses: ['voice'], macPrefixes: ['525400'] }));
  assert.equal(new Machine(rack, 1).boot({ options: [[77, letters('voice')]] }), FIRST_OF_POOL);
  assert.equal(new Machine(rack, 2).boot({ options: [[77, letters('desk')]] }), FIRST_OF_ALL);
});

test('a host of the class has the static range before the pool', () => {
  const hosts = [{ name: 'a', macs: [macOf(1)] }];
  const rack = new DhcpRack(planWith({ macPrefixes: ['525400'] }, { hosts }));
  assert.equal(new Machine(rack, 1).boot(), '192.168.127.221');
});

test('a pool is no more for BOOTP than the dynamic range', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ static: null }], hosts: [{ name: 'a', macs: [macOf(1)] }] }));
  rack.apply({
    ...planWith({ macPrefixes: ['525400'] }, { hosts: [{ name: 'a', macs: [macOf(1)] }] }),
    subnets: testPlan({
      subnets: [
        { static: null, more: { pools: [{ range: range(`${FIRST_OF_POOL}-${LAST_OF_POOL}`), class: 'row-7' }] } },
      ],
    }).subnets,
  });
  assert.equal(rack.ask(writePacket({})), undefined);
  assert.equal(rack.count('refused.bootp'), 1);
});

test('a pool whose class is out of service is nobody’s', () => {
  const { classes: _none, ...plan } = BY_PORT;
  const rack = new DhcpRack(plan);
  assert.equal(new Machine(rack, 1).discover({ ...PORT_7, wants: FIRST_OF_POOL })?.yiaddr, FIRST_OF_ALL);
});

test('what a machine of the class gives back is given to its class again', () => {
  const rack = new DhcpRack(BY_PORT);
  for (const n of [1, 2]) new Machine(rack, n).boot(PORT_7);
  new Machine(rack, 2).release(LAST_OF_POOL);
  assert.equal(new Machine(rack, 3).boot(PORT_7), LAST_OF_POOL);
});

test('a lease of another server in a pool is taken over: of which class its machine is shows later', () => {
  const rack = new DhcpRack(BY_PORT);
  const expires = Math.floor(rack.time.seconds) + 500;
  const leases = [{ line: 1, address: ip4(FIRST_OF_POOL), mac: mac(macOf(1)), expires }];
  assert.equal(rack.service.obey({ kind: 'import', leases }).done.length, 1);
  assert.equal(new Machine(rack, 1).discover(PORT_7)?.yiaddr, FIRST_OF_POOL);
});

test('an address in ciaddr brings nobody into a pool but whoever renews what is in it', () => {
  const rack = new DhcpRack(BY_PORT);
  assert.equal(new Machine(rack, 1).discover({ ciaddr: '192.168.127.9' })?.yiaddr, FIRST_OF_ALL);
  const wish = { ciaddr: FIRST_OF_POOL, wants: FIRST_OF_POOL };
  assert.equal(new Machine(rack, 2).discover(wish)?.yiaddr, '192.168.127.112');
  assert.equal(new Machine(rack, 3).select(LAST_OF_POOL, { ciaddr: LAST_OF_POOL })?.type, NAK);
});

test('of several pools of its class, a machine keeps to the one it has an address in', () => {
  const plan = planWith({ circuitIds: ['07'] });
  const pools = ['150', '160'].map((end) => ({
    range: range(`192.168.127.${end}-192.168.127.${end}`),
    class: 'row-7',
  }));
  const rack = new DhcpRack({ ...plan, subnets: plan.subnets.map((subnet) => ({ ...subnet, pools })) });
  const [first, second] = [new Machine(rack, 1), new Machine(rack, 2)];
  assert.deepEqual([first.boot(PORT_7), second.boot(PORT_7)], ['192.168.127.150', '192.168.127.160']);
  first.release('192.168.127.150');
  // A loader that asks after its ROM did
  assert.equal(second.boot(PORT_7), '192.168.127.160');
  assert.equal(new Machine(rack, 3).discover({ ...PORT_7, wants: '192.168.127.160' })?.yiaddr, '192.168.127.150');
});
