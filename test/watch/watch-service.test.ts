import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mac } from '../dhcp/test-plan.ts';
import { WATCH, WatchRack } from './watch-rack.ts';

const [ANN, BOB, EVE] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0e'];
const [HERE, THERE] = ['192.168.127.9', '192.168.127.10'];
const RACK = '192.168.127.1';
/** In the dynamic range. */
const LENT = '192.168.127.111';
/** Or it is asked for, too. */
const WITHOUT_ROUTER = { subnets: [{ router: null }] };
const NODE1 = { name: 'node1', macs: [ANN], address: '192.168.127.222' };

test('a machine that says who it is is asked, and known when it answers', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  assert.deepEqual(rack.neighbours(), [`${HERE} ${ANN}`]);
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${HERE}`]);
  assert.equal(rack.count('asked'), 1);
  rack.arpFrom(ANN, HERE);
  assert.deepEqual([rack.news(), rack.count('asked')], [[], 1]);
});

test('who says so and does not answer stays a stranger', () => {
  const rack = new WatchRack();
  rack.arpFrom(EVE, HERE);
  rack.pass(1);
  assert.deepEqual(rack.neighbours(), [`${HERE} ${EVE}?`]);
  assert.deepEqual(rack.news(), []);
});

test('an answer that nobody asked for, or that is meant for another, proves nothing', () => {
  const rack = new WatchRack();
  rack.arpFrom(EVE, HERE, { operation: 2, to: BOB });
  rack.arpFrom(EVE, HERE, { operation: 2 });
  assert.deepEqual(rack.neighbours(), [`${HERE} ${EVE}?`]);
  rack.pass(1);
  rack.arpFrom(EVE, THERE, { operation: 2, to: '52:54:00:fe:fe:fe' });
  assert.deepEqual(rack.neighbours(), [`${HERE} ${EVE}?`, `${THERE} ${EVE}?`]);
});

test('a machine that has the address by lease, or by the file, need not be asked', () => {
  const rack = new WatchRack({ hosts: [NODE1] });
  rack.lend(LENT, BOB);
  rack.arpFrom(BOB, LENT);
  rack.arpFrom(ANN, NODE1.address);
  assert.deepEqual(rack.neighbours(), [`${LENT} ${BOB}`, `${NODE1.address} ${ANN}`]);
  assert.equal(rack.count('asked'), 0);
});

test('a pair that stays is told of again after ten minutes, and not before', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.news();
  rack.pass(599);
  rack.arpFrom(ANN, HERE);
  assert.deepEqual(rack.news(), []);
  rack.pass(1);
  rack.arpFrom(ANN, HERE);
  rack.arpFrom(ANN, HERE);
  assert.deepEqual(rack.news(), [`neighbour.refreshed ${ANN} ${HERE}`]);
});

test('an address that another machine answers for has moved', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.leave(ANN, HERE);
  rack.news();
  // Within the time of the first question: it is asked once more
  rack.settle(BOB, HERE);
  rack.pass(1);
  assert.deepEqual(rack.news(), [`neighbour.moved ${BOB} ${HERE} from=${ANN}`]);
  assert.deepEqual(rack.neighbours(), [`${HERE} ${BOB}`]);
});

test('who only claims an address takes it from nobody', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.pass(1);
  rack.news();
  rack.arpFrom(EVE, HERE);
  rack.pass(1);
  assert.deepEqual(rack.news(), []);
  assert.deepEqual(rack.neighbours(), [`${HERE} ${ANN}`, `${HERE} ${EVE}?`]);
});

const NO_PAIRS: readonly (readonly [string, string, string])[] = [
  ['a probe of one that has no address yet', ANN, '0.0.0.0'],
  ['a group MAC', '01:00:5e:00:00:01', HERE],
  ['a MAC of nothing', '00:00:00:00:00:00', HERE],
  ['a group address', ANN, '224.0.0.1'],
  ['a loopback address', ANN, '127.0.0.1'],
  ['our own card', '52:54:00:fe:fe:fe', HERE],
];

for (const [what, card, address] of NO_PAIRS) {
  test(`${what} is no neighbour`, () => {
    const rack = new WatchRack();
    rack.arpFrom(card, address, { target: HERE });
    assert.deepEqual([rack.neighbours(), rack.count('asked')], [[], 0]);
  });
}

test('what is no ARP is counted, and does no harm', () => {
  const rack = new WatchRack();
  rack.hear(Uint8Array.of(1, 2, 3));
  rack.hear(new Uint8Array(20));
  assert.equal(rack.count('refused.bad-packet'), 2);
});

test('in a VLAN, and with an address of another network, nobody can be asked: they are told, but not without end', () => {
  const rack = new WatchRack();
  rack.arpFrom(ANN, HERE, { tag: 100 });
  rack.arpFrom(BOB, '10.0.0.9');
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${HERE} vlan=100`, `neighbour.new ${BOB} 10.0.0.9`]);
  rack.arpFrom(BOB, HERE, { tag: 100 });
  assert.deepEqual(rack.news(), [`neighbour.moved ${BOB} ${HERE} from=${ANN} vlan=100`]);
  assert.equal(rack.count('asked'), 0);
  for (let n = 0; n < 1000; n++) rack.arpFrom(EVE, `10.1.${n >> 8}.${n & 255}`, { tag: 100 });
  assert.ok(rack.news().length <= 200);
  assert.ok(rack.count('events.unprovable-dropped') > 700);
  assert.deepEqual(rack.show()?.conflicts, []);
});

test('who was not seen for a month is forgotten', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.pass(40);
  assert.equal(rack.store.rows.size, 1);
  rack.time.pass(29 * 86_400);
  rack.settle(BOB, THERE);
  rack.time.pass(2 * 86_400);
  assert.deepEqual([rack.neighbours(), [...rack.store.rows.keys()]], [[`${THERE} ${BOB}`], [`${THERE} ${BOB} 0.0`]]);
});

test('a clock that is set makes nobody older, and nothing is told sooner or later for it', () => {
  const rack = new WatchRack();
  rack.lend(LENT, BOB, rack.time.seconds + 86_400);
  rack.settle(ANN, HERE);
  rack.arpFrom(BOB, LENT);
  for (const days of [60, -61]) {
    rack.news();
    rack.time.setWall(days * 86_400);
    rack.pass(10);
    rack.lend(LENT, BOB, rack.time.seconds + 86_400);
    rack.pass(590);
    assert.deepEqual([rack.news(), rack.neighbours().length], [[], 2]);
    rack.arpFrom(ANN, HERE);
    assert.deepEqual(rack.news(), [`neighbour.refreshed ${ANN} ${HERE}`]);
  }
  rack.pass(40);
  const seen = rack.show()?.neighbours.find(({ address }) => address === rack.addressOf(HERE));
  assert.ok(seen && rack.time.now() - seen.firstSeen < 1_300_000 && seen.firstSeen < seen.lastSeen);
  assert.equal(rack.store.rows.get(`${HERE} ${ANN} 0.0`)?.lastSeen, seen.lastSeen);
});

test('who was seen by a clock that ran ahead is known after a restart, and seen then', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.service.close();
  rack.store.fault = undefined;
  for (const [name, fact] of rack.store.rows) rack.store.rows.set(name, { ...fact, lastSeen: fact.lastSeen + 1e12 });
  const again = new WatchRack({}, WATCH, rack.store);
  again.pass(600);
  again.settle(ANN, HERE);
  assert.deepEqual(again.news(), [`neighbour.refreshed ${ANN} ${HERE}`]);
});

test('an interface that was away, or that comes later, has the neighbours it had', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.apply({ subnets: [{ interface: 'eth1' }] });
  assert.deepEqual(rack.neighbours(), []);
  rack.apply({});
  assert.deepEqual(rack.neighbours(), [`${HERE} ${ANN}`]);
  rack.apply({}, 'off', []);
  rack.apply({});
  rack.settle(ANN, HERE);
  const news = rack.news().filter((line) => line.startsWith('neighbour'));
  assert.deepEqual(news, [`neighbour.new ${ANN} ${HERE}`]);
});

test('neighbours outlive a restart, strangers do not', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.arpFrom(EVE, THERE);
  rack.service.close();
  rack.store.fault = undefined;
  const again = new WatchRack({}, WATCH, rack.store);
  assert.deepEqual(again.neighbours(), [`${HERE} ${ANN}`]);
  assert.deepEqual(again.news(), []);
  const elsewhere = new WatchRack({ subnets: [{ interface: 'eth1' }] }, WATCH, rack.store);
  assert.deepEqual(elsewhere.neighbours(), []);
});

test('times on disk are whole milliseconds', () => {
  const rack = new WatchRack();
  rack.time.pass(0.4, 'milliseconds');
  rack.settle(ANN, HERE);
  rack.service.close();
  rack.store.fault = undefined;
  const again = new WatchRack({}, WATCH, rack.store);
  assert.deepEqual(again.neighbours(), [`${HERE} ${ANN}`]);
});

test('a disk that takes nothing is told of once, and again when it does', () => {
  const rack = new WatchRack();
  rack.store.fault = 'disk is full';
  rack.settle(ANN, HERE);
  rack.pass(100);
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${HERE}`, 'watch.store-failed reason=disk is full']);
  rack.store.fault = undefined;
  rack.pass(40);
  assert.deepEqual(rack.news(), ['watch.store-works']);
  assert.deepEqual([...rack.store.rows.keys()], [`${HERE} ${ANN} 0.0`]);
});

test('a disk from which nothing can be read at the start is told of, and read as soon as it can be', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.settle(BOB, THERE);
  rack.pass(1000);
  rack.service.close();
  rack.store.fault = 'disk I/O error';
  const again = new WatchRack({}, WATCH, rack.store);
  again.settle(BOB, THERE);
  assert.deepEqual(again.news(), ['watch.store-failed reason=disk I/O error', `neighbour.new ${BOB} ${THERE}`]);
  again.store.fault = undefined;
  again.pass(40);
  assert.deepEqual(again.news(), ['watch.store-works']);
  const [ann, bob] = again.show()?.neighbours.toSorted((a, b) => a.address - b.address) ?? [];
  assert.ok(ann && bob && ann.firstSeen === bob.firstSeen && ann.lastSeen === ann.firstSeen);
  assert.deepEqual(again.neighbours().toSorted(), [`${THERE} ${BOB}`, `${HERE} ${ANN}`].toSorted());
  assert.equal(bob.lastSeen, again.store.rows.get(`${THERE} ${BOB} 0.0`)?.lastSeen);
});

test('what was pushed out, or moved, is on disk no more', () => {
  const rack = new WatchRack();
  for (let n = 0; n < 30; n++) {
    const card = `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`;
    rack.settle(card, HERE);
    rack.pass(2);
    rack.leave(card, HERE);
    rack.pass(40);
  }
  assert.deepEqual([rack.neighbours().length, rack.store.rows.size], [1, 1]);
});

test('five that answer for one address leave the strangers as they are', () => {
  const rack = new WatchRack();
  rack.arpFrom(EVE, THERE);
  for (let n = 1; n <= 9; n++) rack.settle(`06:00:00:00:00:0${n}`, HERE);
  rack.pass(2);
  assert.deepEqual([rack.count('neighbours'), rack.count('strangers')], [4, 1]);
  assert.ok(rack.count('refused.holders') > 0);
  assert.ok(rack.neighbours().includes(`${THERE} ${EVE}?`));
});

test('of a flood of answers to one question the first few count, and each machine once', () => {
  const rack = new WatchRack();
  rack.arpFrom(EVE, LENT);
  for (let n = 0; n < 5000; n++) {
    const card = `06:00:00:00:${(n >> 9).toString(16).padStart(2, '0')}:${((n >> 1) & 255).toString(16).padStart(2, '0')}`;
    rack.arpFrom(card, LENT, { operation: 2, to: '52:54:00:fe:fe:fe' });
  }
  assert.ok(rack.sightings.length <= 8, String(rack.sightings.length));
  assert.ok(rack.time.timers < 30, String(rack.time.timers));
});

test('two that both answer for one address are a conflict until one of them is gone', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.pass(1);
  rack.news();
  rack.settle(BOB, HERE);
  rack.pass(1);
  assert.deepEqual(rack.news(), [`conflict.began ${BOB} ${HERE} conflict=two-machines other=${ANN}`]);
  rack.pass(60);
  assert.deepEqual([rack.news(), rack.count('conflicts')], [[], 1]);
  rack.leave(BOB, HERE);
  rack.pass(60);
  assert.deepEqual(rack.news(), [
    `neighbour.moved ${ANN} ${HERE} from=${BOB}`,
    `conflict.ended ${BOB} ${HERE} seconds=119 conflict=two-machines other=${ANN}`,
  ]);
  assert.equal(rack.count('conflicts'), 0);
});

test('two cards of one host that both answer are no conflict', () => {
  const rack = new WatchRack({ hosts: [{ name: 'node1', macs: [ANN, BOB] }] });
  rack.settle(ANN, HERE);
  rack.settle(BOB, HERE);
  rack.pass(2);
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${HERE}`]);
  assert.equal(rack.count('conflicts'), 0);
});

test('an address of a range that nobody was lent is told to the DHCP service at once, and to people when no lease comes for it', () => {
  const rack = new WatchRack();
  rack.settle(EVE, LENT);
  assert.deepEqual(rack.sightings.length, 1);
  assert.deepEqual(rack.news(), [`neighbour.new ${EVE} ${LENT}`]);
  rack.pass(2);
  assert.deepEqual(rack.news(), [`conflict.began ${EVE} ${LENT} conflict=squatted`]);
  // As long as it is there it is told again
  rack.pass(60);
  assert.ok(rack.sightings.length >= 2);
  assert.deepEqual(rack.news(), []);
  rack.lend(LENT, EVE);
  assert.deepEqual(rack.news(), [`conflict.ended ${EVE} ${LENT} seconds=60 conflict=squatted`]);
});

test('a lease whose letter comes behind its ARP is no conflict', () => {
  const rack = new WatchRack();
  rack.settle(ANN, LENT);
  rack.pass(1);
  rack.lend(LENT, ANN);
  rack.pass(5);
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${LENT}`]);
});

test('used addresses are not told to the DHCP service where the file says so, and are a conflict all the same', () => {
  const rack = new WatchRack({}, { ...WATCH, avoidsUsed: false });
  rack.settle(EVE, LENT);
  rack.pass(2);
  assert.deepEqual([rack.sightings, rack.count('conflicts')], [[], 1]);
});

const WRONGS: readonly (readonly [string, (rack: WatchRack) => void, string, string])[] = [
  ['our own address', () => undefined, RACK, 'own-address'],
  ['the address of a host', () => undefined, NODE1.address, 'host-address host=node1'],
  ['an address that is lent to another', (rack) => rack.lend(LENT, BOB), LENT, `leased-address other=${BOB}`],
];

for (const [what, prepare, address, words] of WRONGS) {
  test(`a stranger on ${what} is named`, () => {
    const rack = new WatchRack({ hosts: [NODE1] });
    prepare(rack);
    rack.settle(EVE, address);
    rack.pass(3);
    assert.deepEqual(rack.news(), [
      `neighbour.new ${EVE} ${address}`,
      `conflict.began ${EVE} ${address} conflict=${words}`,
    ]);
    rack.leave(EVE, address);
    rack.pass(90);
    assert.match(rack.news().join('\n'), new RegExp(`^conflict.ended ${EVE} ${address} `));
  });
}

test('a host that uses another address than its own is on the wrong one, unless it has both', () => {
  const rack = new WatchRack({ hosts: [NODE1] });
  rack.settle(ANN, HERE);
  rack.pass(3);
  assert.deepEqual(
    rack.news().at(-1),
    `conflict.began ${ANN} ${HERE} conflict=wrong-address host=node1 wanted=${NODE1.address}`,
  );
  const both = new WatchRack({ hosts: [NODE1] });
  both.settle(ANN, NODE1.address);
  both.settle(ANN, HERE);
  both.pass(3);
  assert.equal(both.count('conflicts'), 0);
});

const ROUTER = '192.168.127.254';

function conflictsOf(rack: WatchRack): string[] {
  return (rack.show()?.conflicts ?? []).map(({ grievance }) => grievance.kind);
}

test('the router that the file names may answer for every address, also of those that are there: it has none of them', () => {
  const rack = new WatchRack();
  for (let n = 100; n < 130; n++) {
    rack.lend(`192.168.127.${n}`, `02:00:00:00:01:${n - 90}`);
    rack.settle(`02:00:00:00:01:${n - 90}`, `192.168.127.${n}`);
  }
  rack.answering.set(`${ROUTER} ${EVE}`, EVE);
  rack.pass(6);
  for (let n = 20; n < 140; n++) rack.answering.set(`192.168.127.${n} ${EVE}`, EVE);
  rack.service.showNeighbours({ kind: 'scan' }, () => undefined);
  rack.pass(100);
  assert.deepEqual([conflictsOf(rack), rack.news().filter((line) => line.startsWith('neighbour.moved'))], [[], []]);
});

test('a router that is known for one only after it answered for many is in nobody’s way any more', () => {
  const rack = new WatchRack();
  for (let n = 2; n < 30; n++) {
    rack.settle(`02:00:00:00:01:${n + 10}`, `192.168.127.${n}`);
    rack.settle(EVE, `192.168.127.${n}`);
  }
  rack.pass(3);
  assert.ok(conflictsOf(rack).includes('many-addresses'));
  rack.answering.set(`${ROUTER} ${EVE}`, EVE);
  rack.pass(130);
  assert.ok(!conflictsOf(rack).includes('many-addresses'));
});

test('one that takes over a wire with one card is told of, once, whoever is there and whatever it says of the router', () => {
  const rack = new WatchRack({ hosts: [NODE1] });
  rack.settle(ANN, NODE1.address);
  rack.settle(BOB, ROUTER);
  rack.pass(1);
  for (let n = 2; n < 255; n++) rack.settle(EVE, `192.168.127.${n}`);
  rack.pass(100);
  assert.deepEqual([...new Set(conflictsOf(rack))], ['many-addresses']);
  assert.ok(rack.news().some((line) => line.startsWith(`conflict.began ${EVE}`) && line.endsWith('many-addresses')));
  rack.answering.clear();
  rack.pass(120);
  assert.deepEqual(conflictsOf(rack), []);
});

test('one that answers for many is told of once as long as it is there, also where it only takes what nobody is lent', () => {
  const rack = new WatchRack();
  for (let n = 2; n < 30; n++) {
    rack.settle(`02:00:00:00:01:${n + 10}`, `192.168.127.${n}`);
    rack.settle(EVE, `192.168.127.${n}`);
  }
  rack.pass(300);
  const conflicts = rack.news().filter((line) => line.startsWith('conflict'));
  const ofMany = conflicts.filter((line) => line.includes('many-addresses'));
  assert.deepEqual(
    ofMany.map((line) => line.split(' ').slice(0, 2)),
    [['conflict.began', EVE]],
  );
});

test('a graver conflict is told of however many others there are, and that there are more than are shown', () => {
  const rack = new WatchRack();
  for (let n = 111; n <= 140; n++) rack.settle(`06:00:00:00:01:${n - 100}`, `192.168.127.${n}`);
  rack.pass(5);
  rack.settle(EVE, RACK);
  rack.pass(5);
  const news = rack.news();
  assert.ok(news.includes(`conflict.began ${EVE} ${RACK} conflict=own-address`));
  assert.equal(news.filter((line) => line === 'conflict.hidden conflict=squatted shown=24').length, 1);
  assert.equal(rack.count('conflicts'), 25);
  rack.answering.clear();
  rack.pass(100);
  assert.ok(rack.news().includes('conflict.shown conflict=squatted'));
  assert.equal(rack.count('conflicts'), 0);
});

test('a conflict is looked at again in a flood of claims as well', () => {
  const rack = new WatchRack({
    subnets: [{ cidr: '10.0.0.0/16', rack: '10.0.0.1', dynamic: '10.0.1.0-10.0.1.255', static: null, router: null }],
  });
  rack.settle(EVE, '10.0.1.5');
  rack.pass(3);
  rack.leave(EVE, '10.0.1.5');
  rack.news();
  for (let n = 0; n < 70 * 300; n++) {
    rack.arpFrom(ANN, `10.0.${2 + ((n >> 8) % 200)}.${n & 255}`);
    if (n % 300 === 0) rack.pass(1);
  }
  assert.ok(rack.count('unasked') > 0);
  assert.match(rack.news().join('\n'), /^conflict.ended/m);
});

test('who does not answer while frames are lost may be there still', () => {
  const rack = new WatchRack();
  rack.settle(EVE, LENT);
  rack.settle(ANN, HERE);
  rack.pass(3);
  rack.leave(EVE, LENT);
  rack.leave(ANN, HERE);
  rack.settle(BOB, HERE);
  rack.news();
  for (let n = 0; n < 900; n++) {
    rack.arp.dropped = 1;
    rack.pass(100, 'milliseconds');
  }
  assert.deepEqual([rack.news(), rack.count('conflicts')], [[], 1]);
  rack.arpFrom(BOB, HERE);
  rack.pass(70);
  assert.deepEqual(
    rack.news().map((line) => line.split(' ')[0]),
    ['neighbour.moved', 'conflict.ended'],
  );
});

test('another card of this machine that answers for our address is no stranger', () => {
  const rack = new WatchRack();
  rack.ownMacs.push(mac(EVE));
  rack.pass(6);
  rack.settle(EVE, RACK);
  rack.pass(3);
  assert.deepEqual([rack.news(), rack.neighbours()], [[], []]);
});

test('who has an address by lease now takes it from who had it, also where a stranger spoke in between', () => {
  const rack = new WatchRack();
  rack.lend(LENT, ANN);
  rack.settle(ANN, LENT);
  rack.leave(ANN, LENT);
  rack.arpFrom(EVE, LENT);
  rack.pass(1);
  rack.news();
  rack.lend(LENT, BOB);
  rack.settle(BOB, LENT);
  rack.pass(1);
  assert.deepEqual(rack.news(), [`neighbour.moved ${BOB} ${LENT} from=${ANN}`]);
});

test('on a proxy subnet the other server knows who has what', () => {
  const rack = new WatchRack({ subnets: [{ management: 'proxy' }] });
  rack.settle(EVE, LENT);
  rack.settle(BOB, RACK);
  rack.pass(3);
  assert.deepEqual(
    rack.show()?.conflicts.map(({ grievance }) => grievance.kind),
    ['own-address'],
  );
});

test('a lease that ends while its machine is still there makes a squatter of it', () => {
  const rack = new WatchRack();
  rack.lend(LENT, ANN);
  rack.settle(ANN, LENT);
  rack.news();
  rack.service.learn([], [rack.addressOf(LENT)]);
  rack.pass(70);
  assert.deepEqual(rack.news(), [`conflict.began ${ANN} ${LENT} conflict=squatted`]);
});

test('a squatter is found again after a restart', () => {
  const rack = new WatchRack();
  rack.settle(EVE, LENT);
  rack.service.close();
  rack.store.fault = undefined;
  const again = new WatchRack({}, WATCH, rack.store);
  again.answering.set(`${LENT} ${EVE}`, EVE);
  again.pass(10);
  assert.deepEqual(again.news(), [`conflict.began ${EVE} ${LENT} conflict=squatted`]);
  assert.equal(again.sightings.length, 1);
});

test('a scan asks for all addresses but the two that nobody has, at a pace, and tells who answered', () => {
  const rack = new WatchRack({ subnets: [{ cidr: '192.168.127.0/24' }] });
  rack.answering.set(`${HERE} ${ANN}`, ANN);
  let answer: unknown;
  rack.service.showNeighbours({ kind: 'scan' }, ({ scan }) => (answer = scan));
  rack.pass(900, 'milliseconds');
  assert.ok(rack.count('asked') < 254);
  rack.pass(2);
  assert.deepEqual(answer, { asked: 254, answered: 1 });
  assert.deepEqual(rack.news(), [`neighbour.new ${ANN} ${HERE}`, 'watch.scanned asked=254 answered=1']);
});

test('a scan by interval begins within it and a half, and again; one of another network is refused', () => {
  const rack = new WatchRack(WITHOUT_ROUTER, { ...WATCH, scanSeconds: 3600 });
  rack.time.pass(3599);
  assert.equal(rack.count('asked'), 0);
  rack.time.pass(10);
  assert.equal(rack.count('asked'), 254);
  rack.time.pass(3600);
  assert.equal(rack.count('asked'), 508);
  const subnet = { network: rack.addressOf('10.9.0.0'), prefix: 16 };
  assert.match(rack.show({ kind: 'scan', subnet })?.fault ?? '', /no subnet of this rack/);
});

test('a reload neither stops the scans nor puts them off', () => {
  const settings = { ...WATCH, scanSeconds: 3600 };
  const rack = new WatchRack(WITHOUT_ROUTER, settings);
  for (let n = 0; n < 4; n++) {
    rack.apply(WITHOUT_ROUTER, settings);
    rack.time.pass(1000);
  }
  assert.equal(rack.count('asked'), 254);
  rack.apply(WITHOUT_ROUTER);
  rack.time.pass(86_400);
  assert.equal(rack.count('asked'), 254);
  rack.apply(WITHOUT_ROUTER, settings);
  rack.time.pass(3610);
  assert.equal(rack.count('asked'), 508);
});

test('a scan asks for nothing that a new Plan has no more', () => {
  const rack = new WatchRack();
  let answer: unknown;
  rack.service.showNeighbours({ kind: 'scan' }, ({ scan }) => (answer = scan));
  rack.apply({ subnets: [{ cidr: '192.168.128.0/24' }] });
  rack.pass(5);
  assert.deepEqual(answer, { asked: 25, answered: 0 });
});

test('one that answers in ever new names fills no history', () => {
  const rack = new WatchRack({
    subnets: [{ cidr: '10.0.0.0/16', rack: '10.0.0.1', dynamic: null, static: null, router: null }],
  });
  for (let n = 0; n < 12_000; n++) {
    const card = `06:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
    rack.answering.clear();
    rack.settle(card, `10.0.${1 + (n >> 8)}.${n & 255}`);
    if (n % 100 === 0) rack.time.pass(1);
  }
  const told = rack.news().filter((line) => line.startsWith('neighbour'));
  assert.ok(told.length < 5200, String(told.length));
  assert.ok(rack.count('neighbours') > 10_000 && rack.count('events.proved-dropped') > 5000);
});

test('a flood of made-up pairs is looked at in batches with a rest between, and leaves those that are known', () => {
  const rack = new WatchRack({
    subnets: [{ cidr: '10.0.0.0/8', rack: '10.0.0.1', dynamic: null, static: null, router: null }],
  });
  rack.settle(ANN, '10.0.0.9');
  rack.news();
  for (let n = 0; n < 50_000; n++) {
    const [high, middle, low] = [n >>> 16, (n >>> 8) & 255, n & 255];
    rack.arpFrom(
      `06:00:00:${[high, middle, low].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
      `10.9.${middle}.${low}`,
    );
  }
  assert.ok(rack.count('strangers') <= 4_096);
  assert.ok(rack.count('asked') < 300, String(rack.count('asked')));
  assert.ok(rack.count('evicted') > 40_000);
  assert.ok(rack.neighbours().includes(`10.0.0.9 ${ANN}`));
  rack.pass(1);
  assert.deepEqual([rack.news(), rack.count('conflicts')], [[], 0]);
  for (let n = 0; n < 64; n++) rack.arp.waiting.push({ frame: new Uint8Array(14), tag: 0 });
  rack.time.ready(11);
  assert.deepEqual(rack.rests, [10]);
});

test('without raw sockets it says so, once, and when it sees again', () => {
  const rack = new WatchRack();
  rack.apply({}, WATCH, []);
  rack.apply({}, WATCH, []);
  rack.apply({});
  assert.deepEqual(rack.news(), ['watch.blind interfaces=eth0', 'watch.sees']);
});

test('a Plan that wants no watch makes it forget the wire, and closing gives back what it had', () => {
  const rack = new WatchRack();
  rack.settle(ANN, HERE);
  rack.apply({}, 'off', []);
  assert.deepEqual(rack.neighbours(), []);
  assert.deepEqual([rack.arp.closed, rack.dhcp.closed], [true, true]);
  rack.service.close();
  assert.deepEqual([rack.time.watched, rack.time.timers], [[], 0]);
});
