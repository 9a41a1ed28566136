import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMac } from '../../src/addr/mac.ts';
import { DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { Machine, macOf } from './machine.ts';
import { ACK, DISCOVER, dotted, NAK, OFFER, quad, RELEASE, REQUEST, seconds, writePacket } from './naive-packet.ts';
import { ip4, LOCAL, RACK, RELAYED, testPlan } from './test-plan.ts';

const WIDE = testPlan({ subnets: [{ dynamic: '192.168.127.10-192.168.127.200' }] });

function selecting(n: number, wanted: string): Uint8Array {
  return writePacket({
    type: REQUEST,
    mac: macOf(n),
    options: [
      [54, quad(RACK)],
      [50, quad(wanted)],
    ],
  });
}

function discovering(n: number): Uint8Array {
  return writePacket({ type: DISCOVER, mac: macOf(n) });
}

test('an ACK leaves only after its lease is on disk', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  assert.deepEqual(rack.trace.splice(0), ['send']);
  machine.select(offer?.yiaddr ?? '');
  assert.deepEqual(rack.trace, ['write', 'send']);
  const row = rack.store.rows.get(ip4(offer?.yiaddr ?? ''));
  assert.ok(row);
  assert.equal(row.client, parseMac(machine.mac));
  assert.ok(row.expires >= rack.time.seconds + 3600);
});

test('a batch of 64 REQUESTs is one commit, and all its ACKs follow', () => {
  const rack = new DhcpRack(WIDE);
  const machines = Array.from({ length: 64 }, (_, i) => i + 1);
  const offers = rack.exchange(machines.map(discovering));
  rack.trace.length = 0;
  const acks = rack.exchange(offers.map(({ yiaddr }, i) => selecting(i + 1, yiaddr)));
  assert.equal(acks.filter(({ type }) => type === ACK).length, 64);
  assert.deepEqual(rack.store.commits, [64]);
  assert.deepEqual(rack.trace, ['write', ...machines.map(() => 'send')]);
});

test('more than one batch at once is served whole', () => {
  const rack = new DhcpRack(WIDE);
  const answers = rack.exchange(Array.from({ length: 150 }, (_, i) => discovering(i + 1)));
  assert.equal(new Set(answers.map(({ yiaddr }) => yiaddr)).size, 150);
});

test('a batch without a lease writes nothing', () => {
  const rack = new DhcpRack();
  rack.exchange([discovering(1), discovering(2), selecting(3, '172.16.0.5')]);
  assert.deepEqual(rack.store.commits, []);
});

test('a disk that fails stops the ACKs and nothing else', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover();
  rack.kinds();
  rack.store.failing = true;
  const answers = rack.exchange([selecting(1, offer?.yiaddr ?? ''), discovering(2), selecting(3, '172.16.0.5')]);
  assert.deepEqual(
    answers.map(({ type }) => type).toSorted((a, b) => a - b),
    [OFFER, NAK],
  );
  assert.equal(rack.leaseTable.size, 0);
  assert.equal(rack.store.rows.size, 0);
  const failure = rack.told.find(({ kind }) => kind === 'dhcp.store-failed');
  assert.deepEqual(failure, { kind: 'dhcp.store-failed', reason: 'disk full' });
  assert.equal(rack.kinds().includes('dhcp.ack'), false);
  assert.deepEqual([rack.count('sent.ack'), rack.count('sent.nak'), rack.count('sent.offer')], [0, 1, 2]);
  assert.equal(rack.count('refused.store-failed'), 1);
});

test('what the disk refused is undone: the address is free for whoever asks next, and none is lost', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  rack.store.failing = true;
  assert.equal(machine.select(offer?.yiaddr ?? ''), undefined);
  rack.store.failing = false;
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
});

test('an address that expired under one client and was refused by the disk for the next is not lost either', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111', lease: 60 }] }));
  new Machine(rack, 1).boot();
  rack.time.pass(100);
  const offer = new Machine(rack, 2).discover();
  rack.store.failing = true;
  new Machine(rack, 2).select(offer?.yiaddr ?? '');
  rack.store.failing = false;
  rack.time.pass(100);
  assert.equal(rack.count('expired'), 1);
  assert.equal(new Machine(rack, 3).boot(), '192.168.127.111');
});

test('a client that asks again after the disk recovered gets its ACK', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  rack.store.failing = true;
  machine.select(offer?.yiaddr ?? '');
  rack.store.failing = false;
  assert.equal(machine.select(offer?.yiaddr ?? '')?.type, ACK);
  assert.equal(rack.store.rows.size, 1);
});

test('a renewal that the disk refused leaves the lease as it was, and is confirmed for the time it has left', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  const end = rack.leaseTable.get(ip4(address))?.expires ?? 0;
  rack.time.pass(1800);
  rack.store.failing = true;
  const ack = machine.renew(address);
  assert.equal(ack?.type, ACK);
  // Lease, T1 and T2: the lease time is told in whole seconds, and never beyond what is on disk
  assert.deepEqual(
    [51, 58, 59].map((code) => seconds(ack?.options.get(code))),
    [1800, 900, 1575],
  );
  assert.ok(rack.time.seconds + seconds(ack?.options.get(51)) <= end);
  assert.equal(rack.leaseTable.get(ip4(address))?.expires, end);
  assert.equal(rack.count('confirmed'), 1);
  rack.time.pass(1790);
  assert.equal(rack.count('expired'), 0);
  rack.time.pass(20);
  assert.equal(rack.count('expired'), 1);
});

test('a release that the disk refused is not told: after a restart the lease would be back', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.store.failing = true;
  machine.release(address);
  assert.deepEqual(rack.ended, []);
  assert.equal(rack.leaseTable.size, 1);
  assert.equal(rack.kinds().includes('dhcp.release'), false);
  rack.time.pass(4000);
  assert.deepEqual(rack.ended, [address]);
});

test('a batch that releases and leases one address promises it to one client, disk or no disk', () => {
  for (const failing of [false, true]) {
    const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.111' }] }));
    const address = new Machine(rack, 1).boot();
    rack.store.failing = failing;
    const release = writePacket({ type: RELEASE, mac: macOf(1), ciaddr: address });
    rack.exchange([release, discovering(2), selecting(2, address)]);
    rack.store.failing = false;
    const holder = parseMac(macOf(failing ? 1 : 2));
    assert.equal(rack.store.rows.get(ip4(address))?.client, holder);
    assert.equal(new Machine(rack, failing ? 2 : 1).reboot(address)?.type, NAK);
    assert.equal(rack.leaseTable.get(ip4(address))?.mac, holder);
  }
});

test('every lease is there after a restart, told again and renewed', () => {
  const rack = new DhcpRack();
  const machines = [1, 2, 3].map((n) => new Machine(rack, n));
  const addresses = machines.map((machine) => machine.boot({ name: `pc-${machine.mac.at(-1)}` }));
  rack.leaseTable.clear();
  rack.restart(testPlan());
  assert.deepEqual(
    [...rack.leaseTable.values()].map(({ name }) => name),
    ['pc-1', 'pc-2', 'pc-3'],
  );
  for (const [i, machine] of machines.entries()) assert.equal(machine.reboot(addresses[i] ?? '')?.type, ACK);
});

test('a lease that ran out while the service was down is told as ended to a rack that still knows it', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.service.close();
  rack.time.pass(4000);
  rack.restart(testPlan());
  assert.equal(rack.leaseTable.size, 0);
  assert.ok(rack.ended.includes(address));
  rack.time.pass(10);
  assert.equal(rack.kinds().includes('dhcp.expired'), false);
});

/** What comes in, and the counter that it must move. Nothing of it is answered or remembered. */
const HOSTILE: readonly (readonly [string, Uint8Array, string])[] = [
  ['an empty datagram', new Uint8Array(0), 'refused.bad-packet'],
  ['one byte less than a cookie', writePacket({ type: DISCOVER }).subarray(0, 239), 'refused.bad-packet'],
  ['an option that runs past the end', writePacket({ options: [[53, [1]]] }).subarray(0, 242), 'refused.bad-packet'],
  ['a hardware address longer than its field', writePacket({ type: DISCOVER, hlen: 17 }), 'refused.bad-packet'],
  ['a hardware address of no bytes', writePacket({ type: DISCOVER, hlen: 0 }), 'refused.hardware-type'],
  ['a hardware address of 16 bytes', writePacket({ type: DISCOVER, hlen: 16 }), 'refused.hardware-type'],
  ['IEEE 802 hardware', writePacket({ type: DISCOVER, htype: 6 }), 'refused.hardware-type'],
  ['InfiniBand', writePacket({ type: DISCOVER, htype: 32, hlen: 0 }), 'refused.hardware-type'],
  ['a reply', writePacket({ type: OFFER, op: 2 }), 'refused.not-a-request'],
  ['neither request nor reply', writePacket({ type: DISCOVER, op: 0 }), 'refused.not-a-request'],
  ['option 53 of two bytes', writePacket({ options: [[53, [1, 1]]] }), 'refused.message-type'],
  ['an OFFER that says it is a request', writePacket({ type: OFFER }), 'refused.message-type'],
  ['message type 0', writePacket({ type: 0 }), 'refused.message-type'],
  ['message type 9', writePacket({ type: 9 }), 'refused.message-type'],
  ['message type 255', writePacket({ type: 255 }), 'refused.message-type'],
  ['an unknown relay', writePacket({ type: DISCOVER, giaddr: '203.0.113.1' }), 'refused.unknown-subnet'],
];

for (const [what, packet, counter] of HOSTILE) {
  test(`${what} is counted as ${counter}, told and met with silence`, () => {
    const rack = new DhcpRack();
    assert.equal(rack.ask(packet), undefined);
    assert.equal(rack.count(counter), 1);
    assert.equal(rack.count('received'), 1);
    assert.deepEqual(rack.kinds(), ['dhcp.ignored']);
    assert.deepEqual(rack.store.commits, []);
  });
}

test('a bad packet in a batch does not touch its neighbours', () => {
  const rack = new DhcpRack();
  const answers = rack.exchange([discovering(1), new Uint8Array(3), discovering(2)]);
  assert.equal(answers.length, 2);
});

test('a reload leaves leases, offers and quarantines as they are', () => {
  const rack = new DhcpRack();
  const [holder, asker, decliner] = [new Machine(rack, 1), new Machine(rack, 2), new Machine(rack, 3)];
  const held = holder.boot();
  const offered = asker.discover()?.yiaddr ?? '';
  decliner.discover({ wants: '192.168.127.130' });
  decliner.decline('192.168.127.130');
  rack.apply(testPlan());
  assert.equal(asker.select(offered)?.type, ACK);
  assert.equal(holder.renew(held)?.type, ACK);
  assert.notEqual(new Machine(rack, 4).discover({ wants: '192.168.127.130' })?.yiaddr, '192.168.127.130');
  rack.time.pass(601);
  assert.equal(new Machine(rack, 5).discover({ wants: '192.168.127.130' })?.yiaddr, '192.168.127.130');
});

test('a renewal outside the new range is refused, and the client is led to an address inside', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.apply(testPlan({ subnets: [{ dynamic: '192.168.127.150-192.168.127.160' }] }));
  assert.equal(machine.renew(address)?.type, NAK);
  assert.equal(machine.reboot(address)?.type, NAK);
  assert.equal(machine.boot(), '192.168.127.150');
  rack.time.pass(2);
  assert.equal(rack.leaseTable.size, 1);
});

test('a socket that stays keeps its watch, and what waits in it', () => {
  const rack = new DhcpRack();
  const before = rack.sockets.get(ETH0.fd);
  before?.arrive(discovering(1), ip4('255.255.255.255'));
  rack.apply(testPlan());
  assert.equal(rack.sockets.get(ETH0.fd), before);
  assert.equal(before?.closed, false);
  assert.deepEqual(rack.time.watched, [ETH0.fd]);
  assert.equal(rack.exchange([]).length, 1);
});

test('a socket that stays but got another address is known by the new one', () => {
  const rack = new DhcpRack();
  const subnets = [{ ...LOCAL, rack: '192.168.127.2' }, RELAYED];
  rack.apply(testPlan({ subnets }), [{ ...ETH0, address: ip4('192.168.127.2') }, LINK]);
  const offer = new Machine(rack, 1).discover({ giaddr: '10.0.7.1' });
  assert.equal(dotted(offer?.options.get(54) ?? []), '192.168.127.2');
});

test('sockets come and go with the plan', () => {
  const rack = new DhcpRack();
  const eth1 = { ...ETH0, fd: 8, interface: 'eth1', ifindex: 3, address: ip4('10.9.0.1') };
  rack.apply(testPlan(), [eth1, { ...LINK, fd: 10 }]);
  assert.deepEqual(rack.time.watched, [8]);
  assert.equal(rack.sockets.get(ETH0.fd)?.closed, true);
  assert.deepEqual(
    rack.links.map(({ closed }) => closed),
    [true, false],
  );
});

test('nothing is left when the service ends: no watch, no timer, no open store', () => {
  const rack = new DhcpRack();
  new Machine(rack, 1).boot();
  rack.service.close();
  assert.deepEqual(rack.time.watched, []);
  assert.equal(rack.time.timers, 0);
  assert.equal(rack.store.closed, true);
  assert.equal(rack.sockets.get(ETH0.fd)?.closed, true);
});
