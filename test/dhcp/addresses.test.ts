import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, NAK, OFFER } from './naive-packet.ts';
import { testPlan, type HostWords, type PlanWords } from './test-plan.ts';

const MAC = '52:54:00:00:00:01';
const OTHER_CARD = '52:54:00:00:00:02';
const FIXED: HostWords = { name: 'node1', macs: [MAC], address: '192.168.127.50' };
const KEPT: HostWords = { name: 'node1', macs: [MAC] };

function small(first: number, last: number, more: PlanWords = {}, lease = 3600) {
  const dynamic = `192.168.127.${first}-192.168.127.${last}`;
  return testPlan({ subnets: [{ dynamic, lease }], ...more });
}

test('a host gets the address that is written down for it', () => {
  const rack = new DhcpRack(testPlan({ hosts: [FIXED] }));
  assert.equal(new Machine(rack, 1).boot(), '192.168.127.50');
});

test('a host asks for another address in vain', () => {
  const rack = new DhcpRack(testPlan({ hosts: [FIXED] }));
  const machine = new Machine(rack, 1);
  assert.equal(machine.discover({ wants: '192.168.127.120' })?.yiaddr, '192.168.127.50');
  assert.equal(machine.select('192.168.127.120')?.type, NAK);
  assert.equal(machine.reboot('192.168.127.120')?.type, NAK);
});

test("a host's address is given to nobody else, in whichever range it lies", () => {
  const rack = new DhcpRack(small(111, 112, { hosts: [{ ...FIXED, address: '192.168.127.111' }] }));
  const stranger = new Machine(rack, 2);
  assert.equal(stranger.discover({ wants: '192.168.127.111' })?.yiaddr, '192.168.127.112');
  assert.equal(stranger.select('192.168.127.111')?.type, NAK);
  assert.equal(stranger.reboot('192.168.127.111')?.type, NAK);
});

test('a host whose address a stranger still holds waits until the stranger has moved on', () => {
  const rack = new DhcpRack(small(111, 115));
  const stranger = new Machine(rack, 2);
  stranger.boot();
  rack.apply(small(111, 115, { hosts: [{ ...FIXED, address: '192.168.127.111' }] }));
  const host = new Machine(rack, 1);
  assert.equal(host.discover(), undefined);
  assert.equal(stranger.renew('192.168.127.111')?.type, NAK);
  assert.equal(stranger.boot(), '192.168.127.112');
  assert.equal(host.boot(), '192.168.127.111');
});

test('a host that turns up on another subnet than its address is given one that works there', () => {
  const rack = new DhcpRack(testPlan({ hosts: [FIXED] }));
  const host = new Machine(rack, 1);
  assert.equal(host.boot({ giaddr: '10.0.7.1' }), '10.0.7.100');
  assert.equal(host.boot(), '192.168.127.50');
});

test('either card of a host may have its address, one at a time', () => {
  const inStatic = { name: 'node1', macs: [MAC, OTHER_CARD], address: '192.168.127.230' };
  const rack = new DhcpRack(testPlan({ hosts: [inStatic] }));
  const first = new Machine(rack, 1);
  const second = new Machine(rack, 2);
  first.boot();
  assert.equal(second.discover(), undefined);
  rack.time.pass(3602);
  assert.equal(second.boot(), '192.168.127.230');
  assert.equal(first.discover(), undefined);
});

test('a host without a written address has one of the static range for good: past its lease and past a restart', () => {
  const plan = small(111, 140, { hosts: [KEPT, { name: 'node2', macs: [OTHER_CARD] }] });
  const rack = new DhcpRack(plan);
  const machine = new Machine(rack, 1);
  assert.equal(machine.boot(), '192.168.127.221');
  rack.time.pass(10_000);
  assert.equal(rack.leaseTable.size, 1);
  rack.restart(plan);
  assert.equal(rack.leaseTable.size, 1);
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.222');
  assert.equal(machine.boot(), '192.168.127.221');
});

test('a host finds a place on the dynamic range where the static one is full', () => {
  const subnets = [{ static: '192.168.127.221-192.168.127.221' }];
  const rack = new DhcpRack(testPlan({ subnets, hosts: [KEPT, { name: 'node2', macs: [OTHER_CARD] }] }));
  new Machine(rack, 1).boot();
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
});

test('a stranger is given nothing of the static range', () => {
  const rack = new DhcpRack();
  const stranger = new Machine(rack, 1);
  assert.equal(stranger.discover({ wants: '192.168.127.221' })?.yiaddr, '192.168.127.111');
  assert.equal(stranger.select('192.168.127.221')?.type, NAK);
});

for (const [title, pass] of [
  ['while its lease runs', 10],
  ['after its lease ran out', 10_000],
] as const) {
  test(`a host taken out of the plan ${title} frees its kept address`, () => {
    const subnets = [{ static: '192.168.127.221-192.168.127.221' }];
    const rack = new DhcpRack(testPlan({ subnets, hosts: [KEPT] }));
    const former = new Machine(rack, 1);
    former.boot();
    rack.time.pass(pass);
    rack.apply(testPlan({ subnets, hosts: [{ name: 'node2', macs: [OTHER_CARD] }] }));
    assert.equal(former.rebind('192.168.127.221')?.type, NAK);
    rack.time.pass(3602);
    assert.deepEqual(rack.ended, ['192.168.127.221']);
    assert.equal(rack.leaseTable.size, 0);
    assert.equal(new Machine(rack, 2).boot(), '192.168.127.221');
  });
}

test('a host taken out of the plan while the rack was down frees its kept address and its name', () => {
  const subnets = [{ static: '192.168.127.221-192.168.127.221' }];
  const rack = new DhcpRack(testPlan({ subnets, hosts: [KEPT] }));
  new Machine(rack, 1).boot();
  rack.time.pass(10_000);
  rack.restart(testPlan({ subnets, hosts: [{ name: 'node2', macs: [OTHER_CARD] }] }));
  assert.equal(rack.leaseTable.size, 0);
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.221');
});

test('a host that is written down with another address leaves its kept one to others', () => {
  const subnets = [{ static: '192.168.127.221-192.168.127.221' }];
  const rack = new DhcpRack(testPlan({ subnets, hosts: [KEPT] }));
  const machine = new Machine(rack, 1);
  machine.boot();
  rack.apply(testPlan({ subnets, hosts: [FIXED, { name: 'node2', macs: [OTHER_CARD] }] }));
  assert.equal(machine.renew('192.168.127.221')?.type, NAK);
  assert.equal(machine.boot(), '192.168.127.50');
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.221');
});

test('a disk that fails just after the plan changed does not bring a former host back', () => {
  const subnets = [{ static: '192.168.127.221-192.168.127.221' }];
  const rack = new DhcpRack(testPlan({ subnets, hosts: [KEPT] }));
  new Machine(rack, 1).boot();
  rack.time.pass(10_000);
  rack.apply(testPlan({ subnets, hosts: [{ name: 'node2', macs: [OTHER_CARD] }] }));
  rack.store.failing = true;
  assert.throws(() => new Machine(rack, 5).boot());
  rack.store.failing = false;
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.221');
});

test("the rack's own address and the router are given to nobody", () => {
  const subnets = [{ rack: '192.168.127.112', router: '192.168.127.113', dynamic: '192.168.127.111-192.168.127.114' }];
  const rack = new DhcpRack(testPlan({ subnets }));
  const wanted = [112, 113].map((byte) => `192.168.127.${byte}`);
  const offers = wanted.map((wants, i) => new Machine(rack, i + 1).discover({ wants })?.yiaddr);
  assert.deepEqual(offers, ['192.168.127.111', '192.168.127.114']);
  assert.equal(new Machine(rack, 3).discover({ wants: '192.168.127.112' }), undefined);
  for (const address of wanted) {
    assert.equal(new Machine(rack, 4).select(address, { server: '192.168.127.112' })?.type, NAK);
  }
});

test('an address that became the router after it was offered is not offered again', () => {
  const rack = new DhcpRack(small(111, 115));
  const machine = new Machine(rack, 1);
  assert.equal(machine.discover()?.yiaddr, '192.168.127.111');
  const dynamic = '192.168.127.111-192.168.127.115';
  rack.apply(testPlan({ subnets: [{ dynamic, router: '192.168.127.111' }] }));
  assert.equal(machine.select('192.168.127.111')?.type, NAK);
  assert.equal(machine.discover()?.yiaddr, '192.168.127.112');
});

test('a client gets the address it had last, long after it expired', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.time.pass(100_000);
  new Machine(rack, 2).boot();
  assert.equal(machine.discover({ wants: '192.168.127.130' })?.yiaddr, address);
});

test('a client gets the address it has now, not one it had before', () => {
  const rack = new DhcpRack(small(111, 115, {}, 60));
  const machine = new Machine(rack, 1);
  machine.boot();
  rack.apply(small(113, 115));
  assert.equal(machine.boot(), '192.168.127.113');
  rack.time.pass(120);
  rack.apply(small(111, 115));
  assert.equal(machine.boot(), '192.168.127.113');
});

test('addresses never used go first, then the one that lay idle longest', () => {
  const rack = new DhcpRack(small(111, 114, {}, 60));
  for (const n of [1, 2, 3]) new Machine(rack, n).boot();
  for (const n of [2, 1, 3]) {
    new Machine(rack, n).release(`192.168.127.${110 + n}`);
    rack.time.pass(5);
  }
  const given = [11, 12, 13, 14].map((n) => new Machine(rack, n).boot());
  assert.deepEqual(
    given,
    [114, 112, 111, 113].map((byte) => `192.168.127.${byte}`),
  );
});

test('the order of idleness outlives a restart', () => {
  const plan = small(111, 113, {}, 60);
  const rack = new DhcpRack(plan);
  for (const n of [1, 2, 3]) new Machine(rack, n).boot();
  for (const n of [3, 1, 2]) {
    rack.time.pass(5);
    new Machine(rack, n).release(`192.168.127.${110 + n}`);
  }
  rack.restart(plan);
  const given = [11, 12, 13].map((n) => new Machine(rack, n).boot());
  assert.deepEqual(
    given,
    [113, 111, 112].map((byte) => `192.168.127.${byte}`),
  );
});

test('the order of idleness outlives a reload', () => {
  const rack = new DhcpRack(small(111, 113, {}, 60));
  for (const n of [1, 2, 3]) new Machine(rack, n).boot();
  for (const n of [3, 1, 2]) {
    rack.time.pass(5);
    new Machine(rack, n).release(`192.168.127.${110 + n}`);
  }
  rack.time.pass(2);
  rack.apply(small(111, 113));
  const given = [11, 12, 13].map((n) => new Machine(rack, n).boot());
  assert.deepEqual(
    given,
    [113, 111, 112].map((byte) => `192.168.127.${byte}`),
  );
});

test('a renewal after an early release and a new lease does not disturb the order of idleness', () => {
  const rack = new DhcpRack(small(111, 112, {}, 60));
  const [one, two] = [new Machine(rack, 1), new Machine(rack, 2)];
  one.boot();
  two.boot();
  rack.time.pass(10);
  one.release('192.168.127.111');
  rack.time.pass(5);
  two.release('192.168.127.112');
  rack.time.pass(46);
  assert.equal(new Machine(rack, 3).boot(), '192.168.127.111');
});

test('a lease ends once, at its time and for everyone', () => {
  const rack = new DhcpRack(small(111, 111, {}, 60));
  new Machine(rack, 1).boot();
  rack.time.pass(60);
  assert.equal(new Machine(rack, 2).discover(), undefined);
  rack.time.pass(2);
  assert.deepEqual(rack.ended, ['192.168.127.111']);
  assert.deepEqual(
    rack.told.findLast(({ kind }) => kind === 'dhcp.expired'),
    {
      kind: 'dhcp.expired',
      mac: MAC,
      address: '192.168.127.111',
    },
  );
  assert.equal(new Machine(rack, 2).discover()?.type, OFFER);
  rack.time.pass(1000);
  assert.equal(rack.count('expired'), 1);
});

test('a lease that began anew after an early end ends once', () => {
  const rack = new DhcpRack(small(111, 111, {}, 60));
  const machine = new Machine(rack, 1);
  machine.boot();
  rack.time.pass(10);
  machine.release('192.168.127.111');
  rack.time.pass(20);
  machine.boot();
  rack.time.pass(300);
  assert.equal(rack.count('expired'), 1);
  assert.deepEqual(rack.ended, ['192.168.127.111', '192.168.127.111']);
});

test('no second of a lease is lost to rounding: the client counts from when it asked', () => {
  const rack = new DhcpRack(small(111, 111, {}, 60));
  rack.time.pass(600, 'milliseconds');
  const holder = new Machine(rack, 1);
  holder.boot();
  rack.time.pass(59_950, 'milliseconds');
  assert.equal(new Machine(rack, 2).select('192.168.127.111')?.type, NAK);
  assert.equal(holder.renew('192.168.127.111')?.type, ACK);
});
