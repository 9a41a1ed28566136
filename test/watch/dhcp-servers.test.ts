import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DhcpRack } from '../dhcp/dhcp-rack.ts';
import { testPlan } from '../dhcp/test-plan.ts';
import { parseHex } from '../fixtures/hex.ts';
import { WATCH, WatchRack } from './watch-rack.ts';

const [ROGUE, RELAY, CLIENT] = ['02:00:00:00:00:99', '02:00:00:00:00:77', '02:00:00:00:00:0c'];
const PROBE = { seconds: 600, mac: 0x027262000001 } as unknown as NonNullable<typeof WATCH.dhcpProbe>;

interface Words {
  readonly op?: number;
  readonly type: number;
  readonly from?: string;
  readonly mac?: string;
  readonly server?: string;
  readonly yours?: string;
  readonly options?: string;
  readonly client?: string;
}

function quad(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex');
}

/** A DHCP message by hand (RFC 2131 figure 1), as a whole frame to everyone. */
function frame({
  op = 2,
  type,
  from = '10.0.0.9',
  mac = ROGUE,
  server = '10.0.0.9',
  yours = '0.0.0.0',
  options = '',
  client = CLIENT,
}: Words): Uint8Array {
  const hardware = mac.replaceAll(':', '');
  const [source, target] = op === 2 ? ['0043', '0044'] : ['0044', '0043'];
  const named = server === '' ? '' : `3604 ${quad(server)}`;
  const heads = `0${op} 01 06 00 00000001 0000 8000 00000000 ${quad(yours)} 00000000 00000000`;
  const message = `${heads} ${client.replaceAll(':', '')} ${'00'.repeat(202)} 63825363 3501 0${type} ${named} ${options} ff`;
  return parseHex(
    `ffffffffffff ${hardware} 0800 4500 0148 0000 0000 4011 0000 ${quad(from)} ffffffff ${source} ${target} 0134 0000 ${message}`,
  );
}

const [OFFER, REQUEST, ACK, NAK] = [2, 3, 5, 6];

test('a server that nobody knows is named with its first offer, once, with what it offers', () => {
  const rack = new WatchRack();
  const options = '0304 0a000001 4305 612e656669';
  rack.hearDhcp(frame({ type: OFFER, yours: '10.0.0.50', options }));
  rack.hearDhcp(frame({ type: ACK, yours: '10.0.0.51', options }));
  assert.deepEqual(rack.news(), [
    `dhcp-server.found ${ROGUE} server=10.0.0.9 offers=10.0.0.50 router=10.0.0.1 bootFile=a.efi`,
  ]);
  assert.deepEqual(
    rack.show()?.servers.map(({ address, offered }) => [address, offered]),
    [[0x0a000009, 0x0a000033]],
  );
  assert.equal(rack.count('dhcp-servers'), 1);
});

test('a refusal, and a client that takes its offer, name it too', () => {
  const rack = new WatchRack();
  rack.hearDhcp(frame({ type: NAK }));
  rack.hearDhcp(
    frame({ op: 1, type: REQUEST, from: '0.0.0.0', mac: CLIENT, server: '10.0.0.8', options: '3204 0a000033' }),
  );
  assert.deepEqual(rack.news(), [
    `dhcp-server.found ${ROGUE} server=10.0.0.9`,
    'dhcp-server.found server=10.0.0.8 offers=10.0.0.51',
  ]);
});

const QUIET: readonly (readonly [string, Words, string[]])[] = [
  ['our own address', { type: OFFER, server: '192.168.127.1', from: '192.168.127.1' }, []],
  [
    'our own offer through a relay that is known',
    { type: OFFER, from: '10.0.0.1', mac: RELAY, server: '10.0.0.1' },
    ['10.0.0.1'],
  ],
  ['our own card', { type: OFFER, mac: '52:54:00:fe:fe:fe' }, []],
  ['a server that is known', { type: ACK }, ['10.0.0.9']],
  ['a known server behind a relay', { type: ACK, from: '10.0.0.1', server: '10.0.0.9' }, ['10.0.0.9']],
  ['a client that wants our offer', { op: 1, type: REQUEST, mac: CLIENT, server: '192.168.127.1' }, []],
  ['a client that names no server', { op: 1, type: REQUEST, mac: CLIENT, server: '' }, []],
  ['a DISCOVER', { op: 1, type: 1, mac: CLIENT, server: '' }, []],
];

for (const [what, words, known] of QUIET) {
  test(`${what} raises nothing`, () => {
    const rack = new WatchRack();
    rack.apply({}, { ...WATCH, dhcpServers: known.map((address) => rack.addressOf(address)) });
    rack.hearDhcp(frame(words));
    assert.deepEqual([rack.news(), rack.count('received.dhcp')], [[], 1]);
  });
}

test('what is said in a VLAN, and what can’t be read, raises nothing', () => {
  const rack = new WatchRack();
  rack.hearDhcp(frame({ type: OFFER }), 100);
  rack.hearDhcp(frame({ type: OFFER }).subarray(0, 200));
  assert.deepEqual([rack.news(), rack.count('refused.bad-packet')], [[], 1]);
});

test('where another server gives the addresses it is no surprise, unless the file says who it is', () => {
  const words = { subnets: [{ management: 'proxy' }] } as const;
  const rack = new WatchRack(words);
  rack.hearDhcp(frame({ type: OFFER }));
  assert.deepEqual(rack.news(), []);
  rack.apply(words, { ...WATCH, dhcpServers: [rack.addressOf('10.0.0.1')] });
  rack.hearDhcp(frame({ type: OFFER }));
  assert.deepEqual(rack.news(), [`dhcp-server.found ${ROGUE} server=10.0.0.9`]);
});

test('one that is silent for long is over, one that is listed now at once', () => {
  const rack = new WatchRack({}, { ...WATCH, dhcpProbe: PROBE });
  rack.hearDhcp(frame({ type: OFFER }));
  rack.hearDhcp(frame({ type: OFFER, server: '10.0.0.8' }));
  rack.news();
  rack.apply({}, { ...WATCH, dhcpProbe: PROBE, dhcpServers: [rack.addressOf('10.0.0.8')] });
  assert.deepEqual(rack.news(), [`dhcp-server.gone ${ROGUE} server=10.0.0.8`]);
  rack.time.pass(1490);
  assert.deepEqual(rack.news(), []);
  rack.time.pass(20);
  assert.deepEqual(rack.news(), [`dhcp-server.gone ${ROGUE} server=10.0.0.9`]);
});

test('a flood of made-up servers is cut, which is told, and hides none that answers us', () => {
  const rack = new WatchRack({}, { ...WATCH, dhcpProbe: PROBE });
  for (let n = 0; n < 200; n++) rack.hearDhcp(frame({ type: OFFER, server: `10.0.1.${n}` }));
  assert.deepEqual([rack.count('dhcp-servers'), rack.count('dhcp.strange')], [16, 200]);
  const told = rack.news();
  assert.deepEqual([told.length, told.at(-1)], [17, 'dhcp-server.hidden shown=16']);
  const client = '02:72:62:00:00:01';
  rack.hearDhcp(frame({ type: OFFER, server: '10.0.2.1', client }));
  // One of those that were heard of is no other when it answers
  rack.hearDhcp(frame({ type: OFFER, server: '10.0.1.3', client }));
  assert.deepEqual(rack.news(), [`dhcp-server.found ${ROGUE} server=10.0.2.1`]);
  for (let n = 2; n < 200; n++) rack.hearDhcp(frame({ type: OFFER, server: `10.0.2.${n}`, client }));
  assert.equal(rack.count('dhcp-servers'), 32);
  rack.time.pass(1600);
  assert.equal(rack.news().at(-1), 'dhcp-server.shown');
  assert.equal(rack.count('dhcp-servers'), 0);
});

test('one that only a client spoke of is told of once more when its card is known', () => {
  const rack = new WatchRack();
  rack.hearDhcp(frame({ op: 1, type: REQUEST, from: '0.0.0.0', mac: CLIENT }));
  for (let n = 0; n < 2; n++) rack.hearDhcp(frame({ type: OFFER, yours: '10.0.0.51' }));
  assert.deepEqual(rack.news(), [
    'dhcp-server.found server=10.0.0.9',
    `dhcp-server.found ${ROGUE} server=10.0.0.9 offers=10.0.0.51`,
  ]);
});

test('other servers are asked for soon after the start, twice, and then by interval, in the name of a machine there is not', () => {
  const rack = new WatchRack({}, { ...WATCH, dhcpProbe: PROBE });
  rack.time.pass(1);
  assert.equal(rack.dhcp.sent.length, 0);
  rack.time.pass(5);
  assert.equal(rack.dhcp.sent.length, 2);
  rack.time.pass(590);
  // A Plan in between changes nothing
  rack.apply({}, { ...WATCH, dhcpProbe: PROBE });
  rack.time.pass(20);
  assert.equal(rack.dhcp.sent.length, 4);
  const [first = new Uint8Array()] = rack.dhcp.sent;
  const hex = Buffer.from(first).toString('hex');
  assert.equal(hex.slice(0, 28), 'ffffffffffff525400fefefe0800');
  // Its flag says that answers are to be broadcast, and its hardware address is the made-up one
  assert.equal(hex.slice(2 * (42 + 10), 2 * (42 + 12)), '8000');
  assert.equal(hex.slice(2 * (42 + 28), 2 * (42 + 34)), '027262000001');
  assert.match(hex, /63825363350101/);
});

test('our own DHCP service does not answer that question, another rack’s does', () => {
  const question = new WatchRack({}, { ...WATCH, dhcpProbe: PROBE });
  question.time.pass(5);
  const [asked = new Uint8Array()] = question.dhcp.sent;
  const message = asked.subarray(42);
  const own = new DhcpRack({ ...testPlan(), watch: { ...WATCH, dhcpProbe: PROBE } });
  assert.deepEqual(own.exchange([message]), []);
  assert.deepEqual([own.kinds(), own.count('passed-over'), own.leaseTable.size], [[], 1, 0]);
  const other = new DhcpRack(testPlan());
  assert.equal(other.ask(message)?.type, OFFER);
});
