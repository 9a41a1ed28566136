import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { PlanAnswer } from '../../src/contract/rack-words.ts';
import { RegionDesk, type AnswerOutcome } from '../../src/rack/region-desk.ts';
import { fromColumns } from '../../src/service/lease-columns.ts';
import type { RackFacts, RegionNews } from '../../src/service/region-letters.ts';
import type { EventBody } from '../../src/timeline/event.ts';

const LEASE = { address: toIp4(1), mac: 0x525400000001 as Mac };
const FACTS = { leases: 1 } as RackFacts;

function answer(version: number, config = {}): PlanAnswer {
  return { version, config, orders: {} };
}

function rig() {
  const sent: RegionNews[] = [];
  const taken: number[] = [];
  const obeyed: string[] = [];
  const now = { faults: [] as string[], inForce: undefined as PlanAnswer | undefined, ground: 'file 1' };
  const desk = new RegionDesk({
    send: (news) => sent.push(news),
    facts: (withFile) => ({ ...FACTS, isImporting: withFile }),
    leases: () => [LEASE],
    answer: () => now.inForce,
    takeAnswer: (given): Promise<AnswerOutcome> => {
      taken.push(given.version);
      if (now.faults.length === 0) now.inForce = given;
      return Promise.resolve({ version: given.version, faults: now.faults, conflicts: [] });
    },
    ground: () => now.ground,
    obey: (order) => obeyed.push(order),
  });
  desk.follow(true);
  const happens = (...bodies: readonly EventBody[]): void => {
    desk.learn(bodies.map((body) => ({ ...body, at: 1, source: 'rack' })));
    desk.flush();
  };
  return { desk, sent, taken, obeyed, now, happens, kinds: () => sent.map(({ kind }) => kind) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('all leases are told when they are wished for, but not before they are known', () => {
  const { desk, sent } = rig();
  desk.hear({ kind: 'leases', id: 1 });
  desk.hear({ kind: 'leases', id: 2 });
  assert.equal(sent.length, 0);
  desk.leasesKnown();
  desk.leasesKnown();
  desk.hear({ kind: 'leases', id: 3 });
  assert.deepEqual(sent.map((news) => news.kind === 'all-leases' && [news.id, fromColumns(news.leases)]), [[2, [LEASE]], [3, [LEASE]]]);
});

test('an answer is taken; the one in force already, as after each start, is left alone', async () => {
  const { desk, taken, kinds } = rig();
  desk.hear({ kind: 'answer', answer: answer(3, { subnets: [] }) });
  await turn();
  desk.hear({ kind: 'answer', answer: answer(3, { subnets: [] }) });
  await turn();
  assert.deepEqual(taken, [3]);
  desk.hear({ kind: 'answer', answer: answer(3, { subnets: [{ cidr: '192.0.2.0/24' }] }) });
  desk.hear({ kind: 'answer', answer: answer(2) });
  await turn();
  assert.deepEqual(taken, [3, 3, 2]);
  assert.deepEqual(kinds(), ['changed', 'changed', 'changed']);
});

test('one that is refused is shown, and tried again when the file is another; not for any other reason', async () => {
  const { desk, now, taken, happens } = rig();
  now.faults = ['region plan 4: subnets[0].cidr: expected something else'];
  desk.hear({ kind: 'answer', answer: answer(4) });
  await turn();
  assert.deepEqual(desk.refused, { version: 4, faults: now.faults });
  happens({ kind: 'plan.applied', subnets: 1, hosts: 0, faults: 0 });
  await turn();
  assert.deepEqual(taken, [4]);
  now.ground = 'file 2';
  happens({ kind: 'plan.applied', subnets: 1, hosts: 0, faults: 0 });
  await turn();
  assert.deepEqual(taken, [4, 4]);
  now.faults = [];
  now.ground = 'file 3';
  happens({ kind: 'plan.applied', subnets: 1, hosts: 0, faults: 0 });
  await turn();
  assert.equal(desk.refused, undefined);
});

test('an order is begun and said to be', () => {
  const { desk, obeyed, sent } = rig();
  desk.hear({ kind: 'order', order: 'scan', number: 7 });
  assert.deepEqual(obeyed, ['scan']);
  assert.deepEqual(sent, [{ kind: 'obeyed', order: 'scan', number: 7 }]);
});

test('what the region should know now is told with the events of the moment', () => {
  const { desk, happens, kinds, sent } = rig();
  desk.heard(true);
  happens({ kind: 'dhcp.release' });
  assert.deepEqual(kinds(), ['events']);
  happens({ kind: 'service.ready', service: 'dns' }, { kind: 'plan.applied', subnets: 1, hosts: 0, faults: 0 });
  assert.deepEqual(kinds(), ['events', 'events', 'changed']);
  desk.hear({ kind: 'facts', withFile: true });
  assert.deepEqual(sent.at(-1), { kind: 'facts', facts: { leases: 1, isImporting: true } });
});

test('a rack that follows no region keeps nothing for one', () => {
  const { desk, happens, sent } = rig();
  desk.hear({ kind: 'state', state: { link: 'connected', url: 'https://a', since: 1, waiting: 0, forgotten: 0 } });
  assert.equal(desk.state?.link, 'connected');
  happens({ kind: 'dhcp.release' });
  desk.follow(false);
  happens({ kind: 'dhcp.release' });
  desk.heard(true);
  assert.deepEqual(sent, []);
  assert.equal(desk.state, undefined);
});
