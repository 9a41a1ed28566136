import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARP, DhcpRack, ETH0, LINK, type Answer } from './dhcp-rack.ts';
import { macOf, Machine } from './machine.ts';
import { naiveArp } from './naive-arp.ts';
import { ACK, DISCOVER, letters, OFFER, writePacket } from './naive-packet.ts';
import { RELAYED, testPlan, type PlanWords, type SubnetWords } from './test-plan.ts';

const ON = { more: { conflictCheck: 'arp' } } as const;
const HANDLES = [ETH0, LINK, ARP];
const SQUATTER = '02:00:00:00:00:0b';
const [FIRST, SECOND] = ['192.168.127.111', '192.168.127.112'];

function checking(subnet: SubnetWords = {}, rest: PlanWords = {}): DhcpRack {
  return new DhcpRack(testPlan({ subnets: [{ ...ON, ...subnet }], ...rest }), HANDLES);
}

function ask(n: number): Uint8Array {
  return writePacket({ type: DISCOVER, mac: macOf(n) });
}

/** "OFFER 192.168.127.111", for each. */
function said(answers: readonly (Answer | undefined)[]): string[] {
  const names = new Map([
    [0, 'BOOTP'],
    [OFFER, 'OFFER'],
    [ACK, 'ACK'],
  ]);
  return answers.flatMap((answer) => (answer ? `${names.get(answer.type) ?? answer.type} ${answer.yiaddr}` : []));
}

test('a never-used address is offered when nobody answered for it within half a second, and told once', () => {
  const rack = checking();
  assert.equal(new Machine(rack, 1).discover(), undefined);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`]);
  assert.deepEqual(said(rack.wait(499)), []);
  assert.deepEqual(said(rack.wait(1)), [`OFFER ${FIRST}`]);
  assert.equal(new Machine(rack, 1).select(FIRST)?.type, ACK);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`, 'send', 'write', 'send']);
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.offer', 'dhcp.request', 'dhcp.ack']);
  const counts = ['received', 'received.discover', 'sent.probe', 'sent.offer'].map((name) => rack.count(name));
  assert.deepEqual(counts, [2, 1, 1, 1]);
});

test('while it waits, others are served, in the very batch', () => {
  const rack = checking();
  const known = new Machine(rack, 1);
  known.discover();
  rack.wait(500);
  known.select(FIRST);
  assert.deepEqual(said(rack.exchange([ask(2), ask(1)])), [`OFFER ${FIRST}`]);
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${SECOND}`]);
});

test('an address in use is in quarantine, its holder is named, and the next one is looked for at once', () => {
  const rack = checking({ dynamic: `${FIRST}-${SECOND}`, more: { ...ON.more, quarantineSeconds: 60 } });
  new Machine(rack, 1).discover();
  rack.wait(10);
  rack.kinds();
  assert.deepEqual(said(rack.overhear(naiveArp(SQUATTER, FIRST))), []);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`, `probe ${SECOND}`]);
  assert.deepEqual(rack.told.splice(0), [{ kind: 'dhcp.conflict', holder: SQUATTER, mac: macOf(1), address: FIRST }]);
  assert.deepEqual(said(rack.wait(499)), []);
  assert.deepEqual(said(rack.wait(1)), [`OFFER ${SECOND}`]);
  assert.equal(rack.count('conflict'), 1);
  new Machine(rack, 1).select(SECOND);
  const other = new Machine(rack, 2);
  assert.equal(other.discover(), undefined);
  assert.equal(rack.count('refused.exhausted'), 1);
  rack.time.pass(61);
  other.discover();
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${FIRST}`]);
});

const SIGNS: readonly (readonly [string, Uint8Array, boolean])[] = [
  ['a reply for it', naiveArp(SQUATTER, FIRST), true],
  ['a request of its holder for another', naiveArp(SQUATTER, FIRST, 1, '192.168.127.9'), true],
  ['an announcement', naiveArp(SQUATTER, FIRST, 1, FIRST), true],
  ['a reply for another', naiveArp(SQUATTER, SECOND), false],
  ['a probe for it, as switches send that track devices', naiveArp(SQUATTER, '0.0.0.0', 1, FIRST), false],
  ['a reply of the client itself, whose ROM still runs', naiveArp(macOf(1), FIRST), false],
  ['a reply of another card of the same host', naiveArp('52:54:00:00:77:77', FIRST), false],
  ['what is no ARP', Uint8Array.of(1, 2, 3), false],
];

for (const [what, packet, isConflict] of SIGNS) {
  test(`${what} is ${isConflict ? 'a' : 'no'} sign that the address is in use`, () => {
    const macs = [macOf(1), '52:54:00:00:77:77'];
    const rack = checking({ static: `${FIRST}-192.168.127.120`, dynamic: null }, { hosts: [{ name: 'node1', macs }] });
    new Machine(rack, 1).discover();
    rack.overhear(packet);
    assert.equal(rack.count('conflict'), isConflict ? 1 : 0);
    assert.deepEqual(said(rack.wait(500)), [`OFFER ${isConflict ? SECOND : FIRST}`]);
  });
}

test('a repeat meanwhile costs no probe and no time, and the newest transaction is answered', () => {
  const rack = checking();
  const askAs = (xid: number): Answer[] => rack.exchange([writePacket({ type: DISCOVER, mac: macOf(1), xid })]);
  assert.deepEqual(askAs(1), []);
  rack.wait(300);
  assert.deepEqual(askAs(2), []);
  assert.deepEqual(askAs(3), []);
  const answers = rack.wait(200);
  assert.deepEqual([said(answers), answers[0]?.xid], [[`OFFER ${FIRST}`], 3]);
  assert.deepEqual([rack.count('passed-over'), rack.count('sent.probe'), rack.wait(1000)], [2, 1, []]);
});

test('a message that waited is not charged to its client a second time', () => {
  const rack = checking();
  rack.exchange([ask(1)]);
  rack.wait(499);
  rack.exchange(Array.from({ length: 60 }, () => ask(1)));
  assert.ok(rack.count('refused.rate-limit') > 0);
  assert.deepEqual(said(rack.wait(1)), [`OFFER ${FIRST}`]);
});

test('an answer is remembered for 30 seconds', () => {
  const rack = checking();
  const machine = new Machine(rack, 1);
  machine.discover();
  rack.wait(500);
  rack.wait(29_999);
  assert.deepEqual(said([machine.discover()]), [`OFFER ${FIRST}`]);
  rack.wait(1);
  assert.equal(machine.discover(), undefined);
  assert.equal(rack.count('sent.probe'), 2);
});

test('unless the address is seen in use in the meantime', () => {
  const rack = checking();
  const machine = new Machine(rack, 1);
  machine.discover();
  rack.wait(500);
  rack.overhear(naiveArp(SQUATTER, FIRST));
  assert.equal(machine.discover(), undefined);
  rack.overhear(naiveArp(SQUATTER, FIRST));
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${SECOND}`]);
});

test('nor after a reload, which may have put the subnet on another wire', () => {
  const rack = checking();
  const machine = new Machine(rack, 1);
  machine.discover();
  rack.wait(500);
  rack.apply(testPlan({ subnets: [ON] }));
  assert.equal(machine.discover(), undefined);
});

test('an address that was leased until lately is offered at once, to its client and to others; a long-idle one is not', () => {
  const rack = checking({ dynamic: `${FIRST}-${FIRST}`, lease: 60 });
  const [holder, other] = [new Machine(rack, 1), new Machine(rack, 2)];
  holder.discover();
  rack.wait(500);
  holder.select(FIRST);
  assert.deepEqual(said([holder.discover()]), [`OFFER ${FIRST}`]);
  rack.time.pass(61 + 240);
  assert.deepEqual(said([holder.discover()]), [`OFFER ${FIRST}`]);
  rack.time.pass(61);
  assert.equal(other.discover(), undefined);
  assert.equal(rack.count('sent.probe'), 2);
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${FIRST}`]);
});

test('others get what was given back a moment ago, without a probe', () => {
  const rack = checking({ dynamic: `${FIRST}-${FIRST}` });
  const holder = new Machine(rack, 1);
  holder.discover();
  rack.wait(500);
  holder.select(FIRST);
  rack.time.pass(100);
  holder.release(FIRST);
  rack.time.pass(100);
  assert.deepEqual(said([new Machine(rack, 2).discover()]), [`OFFER ${FIRST}`]);
});

test('an address that its client declined is looked for before anyone gets it again', () => {
  const rack = checking({ dynamic: `${FIRST}-${FIRST}`, more: { ...ON.more, quarantineSeconds: 30 } });
  const machine = new Machine(rack, 1);
  machine.discover();
  rack.wait(500);
  machine.select(FIRST);
  rack.time.pass(1);
  machine.decline(FIRST);
  rack.time.pass(31);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${FIRST}`]);
});

test('a thousand machines at once wait together, and get a thousand addresses in one commit', () => {
  const rapid = { ...ON.more, rapidCommit: true };
  const rack = checking({ cidr: '192.168.0.0/16', dynamic: '192.168.1.0-192.168.8.255', static: null, more: rapid });
  const packets = Array.from({ length: 1000 }, (_, n) =>
    writePacket({ type: DISCOVER, mac: macOf(n + 1), options: [[80, []]] }),
  );
  assert.deepEqual(rack.exchange(packets), []);
  assert.equal(rack.time.timers, 2);
  const answers = rack.wait(500);
  assert.equal(new Set(said(answers).filter((line) => line.startsWith('ACK'))).size, 1000);
  assert.equal(rack.trace.filter((step) => step.startsWith('probe')).length, 1000);
  assert.equal(rack.trace.filter((step) => step === 'write').length, 1);
});

test('past two thousand that wait, addresses are offered unseen and counted: nobody is kept from booting', () => {
  const rack = checking({ cidr: '192.168.0.0/16', dynamic: '192.168.1.0-192.168.16.255', static: null });
  const atOnce = rack.exchange(Array.from({ length: 2100 }, (_, n) => ask(n + 1)));
  assert.deepEqual([atOnce.length, rack.count('unprobed')], [52, 52]);
  assert.deepEqual(rack.exchange([ask(1)]), []);
  assert.equal(rack.wait(500).length, 2048);
});

test('BOOTP gets its one reply when the address is known to be free, written first', () => {
  const rack = checking({ more: { ...ON.more, bootp: 'dynamic' } });
  assert.equal(rack.ask(writePacket({ mac: macOf(1) })), undefined);
  assert.equal(rack.leaseTable.size, 0);
  rack.overhear(naiveArp(SQUATTER, FIRST));
  assert.deepEqual(said(rack.wait(500)), [`BOOTP ${SECOND}`]);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`, `probe ${SECOND}`, 'write', 'send']);
});

test('rapid commit promises nothing before the address is known to be free', () => {
  const rack = checking({ more: { ...ON.more, rapidCommit: true } });
  assert.equal(new Machine(rack, 1).discover({ options: [[80, []]] }), undefined);
  assert.equal(rack.leaseTable.size, 0);
  assert.deepEqual(said(rack.wait(500)), [`ACK ${FIRST}`]);
  assert.deepEqual(rack.trace, [`probe ${FIRST}`, 'write', 'send']);
});

test('on a shared network an address that is looked for ends the search, one in use leads to the next subnet', () => {
  const more = { ...ON.more, shared: 'front' };
  const first = { dynamic: `${FIRST}-${FIRST}`, static: null, more };
  const second = {
    cidr: '10.9.0.0/24',
    rack: '10.9.0.1',
    router: null,
    dynamic: '10.9.0.5-10.9.0.6',
    static: null,
    more,
  };
  const rack = new DhcpRack(testPlan({ subnets: [first, second] }), HANDLES);
  new Machine(rack, 1).discover();
  assert.deepEqual(rack.trace, [`probe ${FIRST}`]);
  rack.overhear(naiveArp(SQUATTER, FIRST));
  const [offer] = rack.wait(500);
  assert.deepEqual([offer?.yiaddr, offer?.source], ['10.9.0.5', '10.9.0.1']);
});

test('the written address of a host is looked for too, and while someone has it the host hears why not', () => {
  const rack = checking({}, { hosts: [{ name: 'node1', macs: [macOf(1)], address: '192.168.127.50' }] });
  const node = new Machine(rack, 1);
  node.discover();
  rack.overhear(naiveArp(SQUATTER, '192.168.127.50'));
  assert.deepEqual(rack.wait(1000), []);
  const [, , ignored] = rack.told;
  assert.equal(
    ignored?.kind === 'dhcp.ignored' && ignored.reason,
    '192.168.127.50 of this host is still in other hands',
  );
  rack.time.pass(600);
  node.discover();
  assert.deepEqual(said(rack.wait(500)), ['OFFER 192.168.127.50']);
});

test('one that answers for whatever it is asked (proxy ARP) can’t empty a range', () => {
  const rack = checking({ dynamic: '192.168.127.111-192.168.127.122' });
  new Machine(rack, 1).discover();
  const answers = ['111', '112', '113', '114'].flatMap((last) =>
    rack.overhear(naiveArp(SQUATTER, `192.168.127.${last}`)),
  );
  assert.deepEqual(said(answers), ['OFFER 192.168.127.114']);
  assert.deepEqual([rack.count('conflict'), rack.count('refused.conflict-limit')], [3, 1]);
  const doubt = rack.told.at(-2);
  assert.match(doubt?.kind === 'dhcp.conflict' ? (doubt.reason ?? '') : '', /too many addresses/);
  new Machine(rack, 2).discover();
  assert.deepEqual(said(rack.overhear(naiveArp('02:00:00:00:00:0c', '192.168.127.115'))), []);
  assert.equal(rack.count('conflict'), 4);
});

test('a range that is in use from end to end is full', () => {
  const rack = checking({ dynamic: `${FIRST}-${FIRST}` });
  new Machine(rack, 1).discover();
  rack.overhear(naiveArp(SQUATTER, FIRST));
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.conflict', 'dhcp.exhausted']);
});

test('who chose another server meanwhile is left alone', () => {
  const rack = checking();
  const machine = new Machine(rack, 1);
  machine.discover();
  machine.select('192.168.127.9', { server: '192.168.127.2' });
  assert.deepEqual(rack.wait(500), []);
});

test('and an address it left goes to the next who asks, who waits for the same probe', () => {
  const rack = checking({ dynamic: `${FIRST}-${FIRST}` });
  const machine = new Machine(rack, 1);
  machine.discover();
  machine.select('192.168.127.9', { server: '192.168.127.2' });
  new Machine(rack, 2).discover();
  const answers = rack.wait(500);
  assert.deepEqual([said(answers), answers[0]?.mac, rack.count('sent.probe')], [[`OFFER ${FIRST}`], macOf(2), 1]);
});

test('a client that remembers its address has it at once, and hears nothing more of its question', () => {
  const rack = checking();
  const machine = new Machine(rack, 1);
  machine.discover();
  assert.equal(machine.select(FIRST)?.type, ACK);
  assert.deepEqual(rack.overhear(naiveArp(SQUATTER, FIRST)), []);
  assert.deepEqual([rack.wait(1000), rack.count('conflict')], [[], 0]);
});

const RELOADS: readonly (readonly [string, SubnetWords, string[]])[] = [
  ['another lease time', { ...ON, lease: 120 }, [`OFFER ${FIRST}`]],
  ['no more conflict check', {}, [`OFFER ${FIRST}`]],
  ['another range', { more: ON.more, dynamic: '192.168.127.10-192.168.127.20' }, []],
  ['no more DHCP', { more: ON.more, management: 'none' }, []],
];

for (const [what, subnet, expected] of RELOADS) {
  test(`a message that waits is served by the new plan: ${what}`, () => {
    const rack = checking();
    new Machine(rack, 1).discover();
    rack.wait(250);
    rack.apply(testPlan({ subnets: [subnet] }));
    assert.deepEqual(said(rack.wait(250)), expected);
  });
}

test('with another range the address in it is looked for in its turn', () => {
  const rack = checking();
  new Machine(rack, 1).discover();
  rack.apply(testPlan({ subnets: [{ ...ON, dynamic: '192.168.127.10-192.168.127.20' }] }));
  rack.wait(500);
  assert.deepEqual(said(rack.wait(500)), ['OFFER 192.168.127.10']);
});

test('a message that waits on a subnet that becomes a proxy’s is offered no address there', () => {
  const hosts = [{ name: 'node1', macs: [macOf(1)], address: '192.168.127.50' }];
  const rack = checking({}, { hosts });
  rack.ask(ask(1));
  rack.apply(testPlan({ subnets: [{ management: 'proxy', dynamic: null, static: null }], hosts }));
  assert.deepEqual(said(rack.wait(500)), []);
  assert.equal(rack.count('passed-over'), 1);
});

test('and is told there what to boot, if it netboots', () => {
  const rack = checking();
  const options = [
    [60, letters('PXEClient:Arch:00000:UNDI:002001')],
    [93, [0, 0]],
  ] as const;
  rack.ask(writePacket({ type: DISCOVER, mac: macOf(1), options }));
  rack.apply(testPlan({ subnets: [{ management: 'proxy', dynamic: null, static: null }] }));
  const [offer] = rack.wait(500);
  assert.deepEqual([offer?.type, offer?.yiaddr, offer?.file], [OFFER, '0.0.0.0', 'undionly.kpxe']);
  assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.proxy-offer']);
});

test('a message that waits goes with its socket', () => {
  const rack = checking();
  new Machine(rack, 1).discover();
  rack.apply(testPlan({ subnets: [ON] }), [{ ...ETH0, fd: 8 }, LINK, { ...ARP, fd: 12 }]);
  assert.deepEqual(rack.wait(500), []);
  assert.deepEqual([rack.arps.get(ARP.fd)?.closed, rack.arps.get(12)?.closed], [true, false]);
  assert.deepEqual(rack.time.watched, [8, 12]);
});

test('a socket that stays under a new plan keeps its watch', () => {
  const rack = checking();
  rack.apply(testPlan({ subnets: [ON] }));
  assert.deepEqual([rack.arps.size, rack.arps.get(ARP.fd)?.closed], [1, false]);
});

test('a stop leaves no timer and no watch', () => {
  const rack = checking();
  new Machine(rack, 1).discover();
  rack.service.close();
  assert.deepEqual([rack.time.timers, rack.time.watched], [0, []]);
});

test('an interface that is gone has nobody on it', () => {
  const rack = checking();
  const link = rack.arps.get(ARP.fd);
  if (link) link.mac = undefined;
  new Machine(rack, 1).discover();
  assert.deepEqual(said(rack.wait(500)), [`OFFER ${FIRST}`]);
  assert.deepEqual(rack.trace, ['send']);
});

test('nothing is looked for where it is off, behind relays, or without a raw socket', () => {
  const off = checking({ more: { conflictCheck: 'off' } });
  assert.equal(new Machine(off, 1).discover()?.type, OFFER);
  const relayed = new DhcpRack(testPlan({ subnets: [ON, { ...RELAYED, ...ON }] }), HANDLES);
  assert.equal(new Machine(relayed, 1).discover({ giaddr: '10.0.7.1' })?.type, OFFER);
  const deaf = new DhcpRack(testPlan({ subnets: [ON] }), [ETH0, LINK]);
  assert.equal(new Machine(deaf, 1).discover()?.type, OFFER);
});

test('that there is no raw socket is told once, and again when there is one', () => {
  const plan = testPlan({ subnets: [ON] });
  const rack = new DhcpRack(plan, [ETH0, LINK]);
  rack.apply(plan);
  assert.deepEqual(rack.told.splice(0), [{ kind: 'dhcp.conflict-check-off', interfaces: ['eth0'] }]);
  rack.apply(plan, HANDLES);
  rack.apply(plan);
  assert.deepEqual(rack.told, [{ kind: 'dhcp.conflict-check-on' }]);
});
