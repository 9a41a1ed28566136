import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { EventOutbox } from '../../src/service/event-outbox.ts';
import { toColumns } from '../../src/service/lease-columns.ts';
import type { FromService, LeaseFact, SocketHandle, ZoneAnswer } from '../../src/service/letters.ts';
import type { WatchAnswer } from '../../src/service/watch-letters.ts';
import { openLetter, type ServiceDesk } from '../../src/service/service-desk.ts';
import type { Service } from '../../src/service/service.ts';

const PLAN = {} as Plan;
const SOCKETS: readonly SocketHandle[] = [{ fd: 5, transport: 'udp', address: toIp4(1), port: 69 }];
const BOUND: readonly LeaseFact[] = [{ address: toIp4(1), mac: 0x525400000001 as Mac }];
const LEASES = { type: 'leases', bound: toColumns(BOUND), ended: [toIp4(2)] } as const;

/** A desk whose service writes down what it is asked, and says a last word when it is closed. */
function rig(overrides: Partial<Service> = {}): { desk: ServiceDesk; log: unknown[]; posted: FromService[] } {
  const [log, posted]: [unknown[], FromService[]] = [[], []];
  const outbox = new EventOutbox({
    source: 'tftp',
    clock: { now: () => 0, monotonic: () => 0 },
    post: (letter) => (posted.push(letter), log.push(`posts ${letter.type}`)),
    after: () => undefined,
  });
  const service: Service = {
    apply: (plan, sockets) => log.push(['apply', plan, sockets]),
    learn: (bound, ended) => log.push(['learn', bound, ended]),
    counters: () => ({ received: 3 }),
    close: () => {
      log.push('close');
      outbox.emit({ kind: 'tftp.failed', file: 'x', reason: 'the server stops' });
    },
    ...overrides,
  };
  const post = (letter: FromService): void => void (posted.push(letter), log.push(`posts ${letter.type}`));
  return { desk: { service, outbox, post, stop: () => log.push('stop') }, log, posted };
}

test('a plan is applied, and then the rack is told', () => {
  const { desk, log } = rig();
  openLetter(desk, { type: 'plan', plan: PLAN, sockets: SOCKETS });
  assert.deepEqual(log, [['apply', PLAN, SOCKETS], 'posts ready']);
});

test('what a service read to serve a plan is told before it is said to serve it', () => {
  const { desk, posted } = rig();
  desk.outbox.leaseBound(BOUND[0] ?? assert.fail());
  openLetter(desk, { type: 'plan', plan: PLAN, sockets: SOCKETS });
  assert.deepEqual(
    posted.map(({ type }) => type),
    ['leases', 'ready'],
  );
});

test('what the region is to know of reaches who talks to it, and is no trouble to the others', () => {
  const heard: unknown[] = [];
  openLetter(rig({ hearRegion: (news) => heard.push(news) }).desk, { type: 'region', news: { kind: 'changed' } });
  assert.deepEqual(heard, [{ kind: 'changed' }]);
  openLetter(rig().desk, { type: 'region', news: { kind: 'changed' } });
});

test('a plan that can’t be applied is not said to be', () => {
  const { desk, posted } = rig({
    apply: () => {
      throw new Error('no such directory');
    },
  });
  assert.throws(() => openLetter(desk, { type: 'plan', plan: PLAN, sockets: SOCKETS }), /no such directory/);
  assert.deepEqual(posted, []);
});

test('leases are learned by a service that wants to know, and no trouble to one that does not', () => {
  const { desk, log } = rig();
  openLetter(desk, LEASES);
  assert.deepEqual(log, [['learn', BOUND, LEASES.ended]]);
  delete desk.service.learn;
  openLetter(desk, LEASES);
  assert.equal(log.length, 1);
});

test('a ping is answered under its number, with the counters', () => {
  const { desk, posted } = rig();
  openLetter(desk, { type: 'ping', id: 9 });
  assert.deepEqual(posted, [{ type: 'pong', id: 9, counters: { received: 3, 'events.dropped': 0 } }]);
});

test('stop closes the service, sends its last words, then ends the loop', () => {
  const { desk, log, posted } = rig();
  openLetter(desk, { type: 'stop' });
  assert.deepEqual(log, ['close', 'posts events', 'stop']);
  assert.equal(posted[0]?.type === 'events' && posted[0].events[0]?.kind, 'tftp.failed');
});

test('fail throws what it was told to', () => {
  assert.throws(() => openLetter(rig().desk, { type: 'fail', reason: 'for a test' }), /^Error: for a test$/);
});

test('an order is answered under its number, by a service without leases too', () => {
  const order = { kind: 'release', of: toIp4(1) } as const;
  const answer = { done: BOUND, refused: [] };
  const able = rig({ obey: (given) => (assert.deepEqual(given, order), answer) });
  openLetter(able.desk, { type: 'order', id: 4, order });
  assert.deepEqual(able.posted, [{ type: 'answer', id: 4, answer }]);
  const unable = rig();
  openLetter(unable.desk, { type: 'order', id: 5, order });
  assert.deepEqual(unable.posted, [
    { type: 'answer', id: 5, answer: { done: [], refused: [], fault: 'it has no leases' } },
  ]);
});

test('zones are learned, and shown by who has some: now or later', () => {
  const answers: ((answer: ZoneAnswer) => void)[] = [];
  const { desk, log, posted } = rig({
    learnZones: (zones, gone) => log.push(['zones', zones, gone]),
    showZones: (_order, answer) => answers.push(answer),
  });
  openLetter(desk, { type: 'zones', zones: [], gone: ['a.example'] });
  assert.deepEqual(log, [['zones', [], ['a.example']]]);
  openLetter(desk, { type: 'zone-order', id: 7, order: { kind: 'list' } });
  assert.deepEqual(posted, []);
  answers[0]?.({ zones: [] });
  assert.deepEqual(posted, [{ type: 'zone-answer', id: 7, answer: { zones: [] } }]);
});

test('a service without zones says so', () => {
  const { desk, posted } = rig();
  openLetter(desk, { type: 'zone-order', id: 8, order: { kind: 'list' } });
  assert.deepEqual(posted, [{ type: 'zone-answer', id: 8, answer: { zones: [], fault: 'it has no zones' } }]);
});

test('who is on the wire is shown, now or later, and sightings are learned, by a service that can', () => {
  const nobody = { neighbours: [], conflicts: [], servers: [] };
  const answers: ((answer: WatchAnswer) => void)[] = [];
  const { desk, log, posted } = rig({
    learnSightings: (sightings) => log.push(['sightings', sightings]),
    showNeighbours: (_order, answer) => answers.push(answer),
  });
  openLetter(desk, { type: 'sightings', sightings: [] });
  assert.deepEqual(log, [['sightings', []]]);
  openLetter(desk, { type: 'watch-order', id: 7, order: { kind: 'list' } });
  assert.deepEqual(posted, []);
  answers[0]?.(nobody);
  assert.deepEqual(posted, [{ type: 'watch-answer', id: 7, answer: nobody }]);
  const unable = rig();
  openLetter(unable.desk, { type: 'watch-order', id: 8, order: { kind: 'scan' } });
  const answer = { ...nobody, fault: 'it watches no wire' };
  assert.deepEqual(unable.posted, [{ type: 'watch-answer', id: 8, answer }]);
});
