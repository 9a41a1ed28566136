import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatMac } from '../../src/addr/mac.ts';
import { MachineBook } from '../../src/story/machine-book.ts';
import type { Stage } from '../../src/story/machine-facts.ts';
import { planOf, SUBNET } from '../plan/rack-a1.ts';
import {
  BOOK_GROUND,
  HOST,
  booted,
  eventsOf,
  factsOf,
  loaded,
  MAC,
  missing,
  scripted,
  SYSTEM,
  UEFI,
  type Step,
} from './story-fixture.ts';

const REPORT: Step = [99, { kind: 'machine.report', report: { stage: 'up' } }];

const STAGES: readonly (readonly [title: string, steps: readonly Step[], stage: Stage])[] = [
  ['it asks', loaded().slice(0, 1), 'discover'],
  ['it is offered an address', loaded().slice(0, 2), 'offered'],
  ['it has its address', loaded().slice(0, 4), 'leased'],
  ['it has its loader', loaded(), 'loader'],
  ['its loader asks for an address', scripted().slice(0, 9), 'loader'],
  ['it has its script', scripted(), 'script'],
  ['it has its kernel', booted().slice(0, -2), 'kernel'],
  ['it has all', booted(), 'initrd'],
  ['it asks for its script again meanwhile', [...booted(), ...scripted().slice(-1)], 'initrd'],
  ['the system it booted asks for an address', [...booted(), [60, SYSTEM]], 'up'],
  ['that system renews its lease', [...booted(), [60, SYSTEM], [900, { kind: 'dhcp.ack' }]], 'up'],
  ['it reports', [...booted(), REPORT], 'reported'],
  ['it boots anew', [...booted(), REPORT, [200, UEFI]], 'discover'],
  ['its lease ends', [...booted(), [9999, { kind: 'dhcp.expired' }]], 'gone'],
  ['a system of its disk asks', [[0, SYSTEM]], 'discover'],
];

for (const [title, steps, stage] of STAGES) {
  test(`a machine is at stage ${stage} when ${title}`, () => {
    assert.equal(factsOf(eventsOf(steps)).stage, stage);
  });
}

test('what is kept of a machine does not grow with what it does', () => {
  const day = Array.from({ length: 400 }, (_, n) => [
    ...booted(n * 200),
    ...Array.from({ length: 20 }, (_each, file): Step => [n * 200 + 20, missing(`/file-${file}`)]),
  ]).flat();
  const short = JSON.stringify(factsOf(eventsOf(day.slice(0, day.length / 4)))).length;
  const long = JSON.stringify(factsOf(eventsOf(day))).length;
  assert.ok(long < short * 1.2, `${long} bytes after ${short}`);
  assert.ok(long < 16_384, `${long} bytes`);
});

test('each machine has its own story, and events of none are nobody’s', () => {
  const book = new MachineBook(BOOK_GROUND);
  const [first, second] = eventsOf([
    [0, UEFI],
    [1, UEFI],
  ]);
  assert.ok(first && second);
  book.learn(first);
  book.learn({ ...second, mac: '52:54:00:00:00:09' });
  book.learn({ kind: 'rack.ready', milliseconds: 4, at: 2, source: 'rack' });
  assert.deepEqual(
    book.all().map(({ mac, lastSeen }) => [mac, lastSeen]),
    [
      [MAC, 0],
      ['52:54:00:00:00:09', 1000],
    ],
  );
});

test('a card that is only seen on the wire is no machine; a machine that is seen there lives', () => {
  const book = new MachineBook(BOOK_GROUND);
  const seen = { kind: 'neighbour.new', interface: 'eth0', source: 'watch', mac: MAC } as const;
  book.learn({ ...seen, at: 1000 });
  assert.equal(book.size, 0);
  const [event] = eventsOf([[2, UEFI]]);
  assert.ok(event);
  book.learn(event);
  book.learn({ ...seen, at: 9000 });
  assert.equal(book.find(MAC)?.lastSeen, 9000);
});

test('a DHCP server that is found on the wire is another one until it is gone', () => {
  const book = new MachineBook(BOOK_GROUND);
  const stranger = { interface: 'eth0', server: '10.0.0.9', source: 'watch' } as const;
  book.learn({ kind: 'dhcp-server.found', ...stranger, mac: '02:00:00:00:00:0e', at: 1000 });
  assert.deepEqual([book.wires.otherServers(2000), book.size], [['10.0.0.9'], 0]);
  book.learn({ kind: 'dhcp-server.gone', ...stranger, at: 3000 });
  assert.deepEqual(book.wires.otherServers(4000), []);
});

test('of more machines than there is room for, those heard longest ago are forgotten', () => {
  const book = new MachineBook(BOOK_GROUND, 3);
  const [event] = eventsOf([[0, UEFI]]);
  assert.ok(event);
  for (const mac of ['a', 'b', 'c', 'a', 'd']) book.learn({ ...event, mac });
  assert.deepEqual(
    book.all().map(({ mac }) => mac),
    ['c', 'a', 'd'],
  );
  assert.equal(book.find('b'), undefined);
  assert.equal(book.find('a')?.boots.length, 1);
});

test('made-up MACs push no machine out that has had an address or a file, nor a host of the file', () => {
  const book = new MachineBook(BOOK_GROUND, 5);
  const [asked] = eventsOf([[0, UEFI]]);
  assert.ok(asked);
  for (const event of eventsOf(booted())) book.learn(event);
  for (const mac of [HOST, 'early']) book.learn({ ...asked, mac });
  for (let n = 0; n < 1_000; n++) book.learn({ ...asked, mac: `made up ${n}` });
  assert.deepEqual(
    book.all().map(({ mac }) => mac),
    ['made up 997', 'made up 998', 'made up 999', MAC, HOST],
  );
});

test('of more machines with addresses than there is room for, those heard longest ago are forgotten too', () => {
  const book = new MachineBook(BOOK_GROUND, 2);
  const [bound] = eventsOf([[0, { kind: 'dhcp.ack' }]]);
  assert.ok(bound);
  for (const mac of ['a', 'b', 'a', 'c']) book.learn({ ...bound, mac });
  assert.deepEqual(
    book.all().map(({ mac }) => mac),
    ['a', 'c'],
  );
});

test('a rack that looks for DHCP servers is no machine', () => {
  const book = new MachineBook(BOOK_GROUND);
  const mac = planOf(`rack: { name: another-rack }\n${SUBNET}`).watch?.dhcpProbe?.mac;
  assert.ok(mac !== undefined);
  const [asked] = eventsOf([[0, SYSTEM]]);
  assert.ok(asked);
  book.learn({ ...asked, mac: formatMac(mac) });
  assert.equal(book.size, 0);
});

test('what the rack does to a machine is no sign of it', () => {
  const facts = factsOf(
    eventsOf([
      [0, UEFI],
      [50, { kind: 'dhcp.expired' }],
      [60, { kind: 'boot.armed', entry: 'debian', because: 'reset' }],
    ]),
  );
  assert.equal(facts.lastSeen, 0);
});
