import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { RegionDesk } from '../../src/rack/region-desk.ts';
import { fromColumns } from '../../src/service/lease-columns.ts';
import type { RackFacts, RegionNews } from '../../src/service/region-letters.ts';
import type { EventBody } from '../../src/timeline/event.ts';

const LEASE = { address: toIp4(1), mac: 0x525400000001 as Mac };
const FACTS = { leases: 1 } as RackFacts;

function rig() {
  const sent: RegionNews[] = [];
  const taken: number[] = [];
  const obeyed: string[] = [];
  const desk = new RegionDesk({
    send: (news) => sent.push(news),
    facts: (withFile) => ({ ...FACTS, isImporting: withFile }),
    leases: () => [LEASE],
    takeAnswer: ({ version }) => {
      taken.push(version);
      return Promise.resolve({ version, faults: [], conflicts: [] });
    },
    obey: (order) => obeyed.push(order),
  });
  desk.follow(true);
  const happens = (...bodies: readonly EventBody[]): void => {
    desk.learn(bodies.map((body) => ({ ...body, at: 1, source: 'rack' })));
    desk.flush();
  };
  return { desk, sent, taken, obeyed, happens, kinds: () => sent.map(({ kind }) => kind) };
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
  assert.deepEqual(
    sent.map((news) => news.kind === 'all-leases' && [news.id, fromColumns(news.leases)]),
    [
      [2, [LEASE]],
      [3, [LEASE]],
    ],
  );
});

test('an answer is taken, and what became of it told at once', async () => {
  const { desk, taken, kinds } = rig();
  desk.hear({ kind: 'answer', answer: { version: 3, config: {}, orders: {} } });
  assert.deepEqual(kinds(), []);
  await turn();
  assert.deepEqual([taken, kinds()], [[3], ['changed']]);
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

test('of answers that come while one is taken up only the newest is', async () => {
  const { desk, taken } = rig();
  for (const version of [1, 2, 3, 4]) desk.hear({ kind: 'answer', answer: { version, config: {}, orders: {} } });
  await turn();
  assert.deepEqual(taken, [1, 4]);
});
