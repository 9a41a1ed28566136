import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as z from 'zod';

import { RegionFault } from '../../src/sync/region-fault.ts';
import { LinkClosed, type Activity } from '../../src/sync/region-link.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import type { RawAnswer } from '../../src/sync/transport.ts';
import { away, LinkRig, ok, RACK } from './link-rig.ts';

const anything = z.looseObject({});

function ask(rig: LinkRig, activity: Activity = 'plan', mayReject = false): Promise<string> {
  const wish = { method: 'GET', path: `/${activity}`, within: 1_000, most: 1_000 } as const;
  return rig.link.ask(activity, wish, anything, mayReject).then(
    (answer) => JSON.stringify(answer) ?? 'nothing',
    (error: Error) => (error instanceof RegionFault ? `${error.kind}: ${error.message}` : error.name),
  );
}

/** Asks over and over, as what lives on the link does. */
function insist(rig: LinkRig, activity: Activity = 'plan'): void {
  const again = async (): Promise<void> => {
    const answer = await ask(rig, activity);
    if (answer !== 'LinkClosed') await again();
  };
  void again();
}

test('the first answer makes the two connected, and says so once', async (t) => {
  const rig = new LinkRig(t);
  assert.equal(rig.link.state.link, 'connecting');
  assert.equal(await ask(rig), '{}');
  assert.equal(await ask(rig, 'status'), '{}');
  assert.deepEqual(rig.told, [{ kind: 'region.connected', url: 'https://a' }]);
  assert.equal(rig.asked[0]?.question.authorization, rig.secret.authorizationOf(RACK));
  assert.equal(rig.link.state.link, 'connected');
});

const BACK_OFFS: readonly (readonly [random: number, waits: readonly number[]])[] = [
  [0, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
  [0.5, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
  [1, [1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 90_000, 90_000]],
];
for (const [random, waits] of BACK_OFFS) {
  test(`a region that is away is asked after ${waits.slice(0, 4).join(', ')} ms and so on where chance says ${random}`, async (t) => {
    const rig = new LinkRig(t);
    rig.random = random;
    rig.reply = () => away();
    insist(rig);
    await rig.time.pass(400_000);
    const times = rig.asked.map(({ at }) => at);
    assert.deepEqual(
      times.slice(1, 9).map((at, i) => at - (times[i] ?? 0)),
      waits,
    );
    assert.deepEqual(rig.told, [{ kind: 'region.lost', url: 'https://a', reason: 'connect ECONNREFUSED' }]);
  });
}

test('an outage is told once when it begins, whatever its reasons, and once when it ends; then it begins anew', async (t) => {
  const rig = new LinkRig(t);
  await ask(rig);
  let reason = 0;
  rig.reply = () => away(`reason ${reason++}`);
  insist(rig);
  insist(rig, 'status');
  await rig.time.pass(600_000);
  assert.ok(reason > 10);
  rig.reply = () => ok({});
  rig.link.wake();
  // Both are asked at once, over and over, from now on: a moment of it is enough
  rig.reply = (_url, { path }) => (rig.asked.length > 100 ? 'never' : ok({ path }));
  await rig.time.pass(1);
  assert.deepEqual(rig.kinds, ['region.connected', 'region.lost', 'region.connected']);
  assert.deepEqual(rig.told[2], { kind: 'region.connected', url: 'https://a', seconds: 600 });
});

test('of several URLs the next is tried after a moment, and the one that works is stayed with', async (t) => {
  const rig = new LinkRig(t, ['https://a', 'https://b', 'https://c']);
  rig.reply = (url) => (url === 'https://c' ? ok({}) : away());
  assert.match(await ask(rig), /^away/);
  const next = ask(rig);
  await rig.time.pass(1_000);
  assert.match(await next, /^away/);
  const last = ask(rig);
  await rig.time.pass(1_000);
  assert.equal(await last, '{}');
  assert.equal(await ask(rig), '{}');
  assert.deepEqual(
    rig.asked.map(({ url }) => url),
    ['https://a', 'https://b', 'https://c', 'https://c'],
  );
  assert.equal(rig.link.state.url, 'https://c');
});

test('only when all URLs were tried in vain it is waited for longer each time', async (t) => {
  const rig = new LinkRig(t, ['https://a', 'https://b']);
  rig.reply = () => away();
  insist(rig);
  await rig.time.pass(20_000);
  const times = rig.asked.map(({ at }) => at);
  // Half a second to the other one, then 1, 2, 4 and 8 seconds
  assert.deepEqual(
    times.slice(1, 8).map((at, i) => at - (times[i] ?? 0)),
    [500, 1_000, 500, 2_000, 500, 4_000, 500],
  );
});

test('what failed is tried soon when something else comes through', async (t) => {
  const rig = new LinkRig(t);
  rig.reply = () => away();
  insist(rig, 'plan');
  await rig.time.pass(25_000);
  insist(rig, 'events');
  // Each is tried once a minute now, and not at the same moment
  await rig.time.pass(300_000);
  const tried = rig.asked.map(({ at }) => at).slice(-3);
  const apart = tried.slice(1).map((at, i) => at - (tried[i] ?? 0));
  assert.ok(
    apart.every((gap) => gap > 10_000),
    apart.join(),
  );
  const before = rig.asked.length;
  rig.reply = (_url, { path }) =>
    rig.asked.slice(before).filter(({ question }) => question.path === path).length > 1 ? 'never' : ok({});
  rig.random = 0.1;
  await rig.time.pass(61_000);
  const since = rig.asked.slice(before).map(({ at }) => at);
  assert.ok(since.length >= 3 && (since.at(-1) ?? 0) - (since[0] ?? 0) <= 500, since.join());
  assert.deepEqual(rig.kinds, ['region.lost', 'region.connected']);
});

test('how long the region wants to be left alone is heeded, within reason', async (t) => {
  const rig = new LinkRig(t);
  rig.reply = () => ({ status: 503, text: '{"error":"busy"}', retryAfter: rig.asked.length === 1 ? 40 : 100_000 });
  insist(rig);
  await rig.time.pass(39_000);
  assert.equal(rig.asked.length, 1);
  await rig.time.pass(2_000);
  assert.equal(rig.asked.length, 2);
  await rig.time.pass(301_000);
  assert.equal(rig.asked.length, 3);
});

test('a key that is not taken is said loudly once, and tried about once a minute at the same URL', async (t) => {
  const rig = new LinkRig(t, ['https://a', 'https://b']);
  rig.reply = () => ({ status: 401, text: '{"error":"this is no key of a rack of this region"}' });
  insist(rig);
  await rig.time.pass(600_000);
  assert.deepEqual(rig.told, [
    { kind: 'region.refused', reason: 'answers 401: this is no key of a rack of this region' },
  ]);
  assert.equal(rig.asked.length, 11);
  assert.ok(rig.asked.every(({ url }) => url === 'https://a'));
  assert.equal(rig.link.state.link, 'unknown');
});

test('a rack that is not enrolled asks nobody, and begins when it is', async (t) => {
  const rig = new LinkRig(t, ['https://a'], false);
  assert.match(await ask(rig), /^unknown: it has not been enrolled/);
  const answer = ask(rig);
  await rig.time.pass(1_000);
  assert.equal(rig.asked.length, 0);
  rig.file.write({ rack: RACK, key: rig.secret });
  assert.equal(rig.identity.reread(), true);
  rig.link.wake();
  assert.equal(await answer, '{}');
  assert.deepEqual(rig.kinds, ['region.refused', 'region.connected']);
});

const LIES: readonly (readonly [what: string, answer: { status: number; text: string }, fault: RegExp])[] = [
  ['what is no JSON', { status: 200, text: '<html>' }, /^away: answers what is no JSON$/],
  ['JSON of another shape', { status: 200, text: '[1]' }, /^away: answers what we can't use: : Invalid input/],
  ['nothing', { status: 204, text: '' }, /^away: answers 204$/],
  ['a redirect', { status: 302, text: '' }, /^away: answers 302$/],
  ['that there is nothing', { status: 404, text: 'nginx' }, /^away: answers 404$/],
  ['a fault of its own', { status: 500, text: '{"error":"a fault"}' }, /^away: answers 500: a fault$/],
  [
    'that it is no use',
    { status: 400, text: '{"error":"number: expected"}' },
    /^rejected: answers 400: number: expected$/,
  ],
];
for (const [what, answer, fault] of LIES) {
  test(`a region that answers ${what} is as good as away`, async (t) => {
    const rig = new LinkRig(t);
    rig.reply = () => answer;
    assert.match(await ask(rig, 'status'), fault);
    assert.deepEqual(rig.kinds, ['region.lost']);
  });
}

test('that there is no newer plan is an answer', async (t) => {
  const rig = new LinkRig(t);
  rig.reply = () => ({ status: 204, text: '' });
  assert.equal(await ask(rig, 'plan'), 'nothing');
  assert.deepEqual(rig.kinds, ['region.connected']);
});

test('who says what the region may not take is told so, and there is no trouble', async (t) => {
  const rig = new LinkRig(t);
  rig.reply = () => ({ status: 413, text: '' });
  assert.equal(await ask(rig, 'events', true), 'rejected: answers 413');
  assert.deepEqual(rig.told, []);
});

test('a key that comes back in an answer is not in what is said of it', async (t) => {
  const rig = new LinkRig(t);
  const authorization = rig.secret.authorizationOf(RACK);
  rig.reply = () => ({ status: 502, text: JSON.stringify({ error: `bad header ${authorization}` }) });
  const reason = await ask(rig);
  assert.match(reason, /bad header Bearer/);
  assert.ok(!reason.includes(rig.secret.reveal()));
  assert.ok(!JSON.stringify([rig.told, rig.link.state]).includes(rig.secret.reveal()));
});

test('who waits when the link is closed is told, and so is who asks behind that', async (t) => {
  const rig = new LinkRig(t);
  rig.reply = () => away();
  await ask(rig);
  const waiting = ask(rig);
  rig.link.close();
  assert.equal(await waiting, 'LinkClosed');
  await assert.rejects(rig.link.ready('plan'), LinkClosed);
});

test('an answer to what was asked by the old key does not make the new one that which counts', async (t) => {
  const rig = new LinkRig(t);
  const next = RackSecret.create();
  rig.file.write({ rack: RACK, key: rig.secret, next });
  rig.identity.reread();
  const old = rig.secret.authorizationOf(RACK);
  const slow = Promise.withResolvers<RawAnswer>();
  rig.delayed = slow.promise;
  // The long question for a plan is under way, and another process of the region is out of its mind for a moment
  const plan = ask(rig);
  await rig.time.pass(1);
  rig.delayed = undefined;
  rig.reply = () => ({ status: 401, text: '{"error":"who?"}' });
  assert.match(await ask(rig, 'status'), /^unknown/);
  assert.equal(rig.identity.authorization, next.authorizationOf(RACK));
  slow.resolve(ok({}));
  assert.equal(await plan, '{}');
  assert.equal(rig.asked[0]?.question.authorization, old);
  assert.equal(rig.file.read().key?.authorizationOf(RACK), old, 'nobody has taken the new one yet');
  assert.equal(rig.file.read().next?.isSame(next), true);
});
