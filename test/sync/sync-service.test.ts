import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import { RACK } from './link-rig.ts';
import { lease, SyncRig } from './sync-rig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function rising(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

test('what happens is in the region within a second, and what is idle costs one question a minute and a report each half', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.emitMany(0, 3);
  await rig.time.pass(10);
  assert.deepEqual(rig.arrived, [0, 1, 2]);
  const [plans, statuses] = [rig.region.plans.length, rig.region.statuses.length];
  await rig.time.pass(10 * MINUTE);
  assert.ok(rig.region.plans.length - plans <= 11, `${rig.region.plans.length - plans} questions`);
  const reports = rig.region.statuses.length - statuses;
  assert.ok(reports >= 19 && reports <= 23, `${reports} reports`);
  assert.deepEqual(rig.kinds, ['region.connected']);
  assert.equal(rig.wishes.filter(({ kind }) => kind === 'taken').length, 1);
});

test('a plan is asked for whole at a start, and then by its version; a change is here within a second', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(20_000);
  rig.region.publish({ boot: { default: 'local' } });
  await rig.time.pass(900);
  const answers = rig.wishes.flatMap((wish) => (wish.kind === 'answer' ? [wish.answer] : []));
  assert.deepEqual(
    answers.map(({ version }) => version),
    [1, 2],
  );
  assert.deepEqual(answers[1]?.config, { boot: { default: 'local' } });
  assert.deepEqual(
    rig.region.plans.map(({ path }) => path.split('?')[1]),
    ['wait=55', 'after=1&wait=55', 'after=2&wait=55'],
  );
});

test('a region that does not wait with its answer is asked every few seconds, and no more', async (t) => {
  const rig = new SyncRig(t);
  rig.region.version = 5;
  rig.start();
  await rig.time.pass(1_000);
  // It gives the same plan whatever it is asked
  t.mock.method(URLSearchParams.prototype, 'get', () => 'nonsense');
  rig.region.publish({});
  rig.region.version = 5;
  const before = rig.region.plans.length;
  await rig.time.pass(MINUTE);
  const asked = rig.region.plans.length - before;
  assert.ok(asked >= 10 && asked <= 25, `${asked} questions`);
});

test('a region that changes its mind all the time is followed at once, and then at a measured pace, until it is quiet', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(MINUTE);
  const answers = (): number => rig.wishes.filter(({ kind }) => kind === 'answer').length;
  const before = answers();
  for (let change = 0; change < 600; change++) {
    rig.region.publish({});
    await rig.time.pass(100);
  }
  assert.ok(answers() - before <= 22, `${answers() - before} in a minute`);
  await rig.time.pass(2 * MINUTE);
  const quiet = answers();
  rig.region.publish({});
  await rig.time.pass(900);
  assert.equal(answers(), quiet + 1);
});

const NESTED: unknown = JSON.parse('{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000));
const WIDE = { a: Array.from({ length: 1_000_001 }, () => 1) };
for (const [what, config] of [
  ['nested without end', NESTED],
  ['of a million values', WIDE],
] as const) {
  test(`a plan ${what} ends nothing: it is no answer, which is said, and the next good one is taken`, async (t) => {
    const rig = new SyncRig(t);
    rig.region.config = config as Record<string, unknown>;
    rig.start();
    await rig.time.pass(5_000);
    rig.emitMany(0, 2);
    await rig.time.pass(1_000);
    assert.deepEqual(rig.arrived, [0, 1]);
    assert.match(rig.lastState?.fault?.reason ?? '', /^answers a plan of more than 100 levels or 1000000 values$/);
    rig.region.publish({});
    await rig.time.pass(MINUTE);
    assert.deepEqual(
      rig.wishes.flatMap((wish) => (wish.kind === 'answer' ? [wish.answer.version] : [])),
      [2],
    );
  });
}

test('a week without a region: the rack starts anew, and when it is back everything arrives once and in order', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.leave();
  let sent = 0;
  for (let day = 0; day < 7; day++) {
    for (let round = 0; round < 24; round++) {
      rig.emitMany(sent, 3);
      sent += 3;
      await rig.time.pass(2 * MINUTE);
      rig.time.setWall(58 * MINUTE);
    }
    rig.restart(day % 2 === 0 ? 'ends' : 'dies');
  }
  assert.deepEqual(rig.arrived, []);
  rig.region.isAway = false;
  await rig.time.pass(5 * MINUTE);
  assert.deepEqual(rig.arrived, rising(sent));
  assert.equal(new Set(rig.region.batches.map(({ stream }) => stream)).size, 1);
  assert.equal(rig.region.batches.at(-1)?.forgotten, undefined);
});

test('batches are small, and three quarters of the time of catching up are rest', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.leave();
  await rig.time.pass(1_000);
  for (let at = 0; at < 10_000; at += 1_000) rig.emitMany(at, 1_000);
  rig.region.isAway = false;
  rig.region.slow = 100;
  await rig.time.pass(5 * MINUTE);
  assert.deepEqual(rig.arrived, rising(10_000));
  const batches = rig.region.batches.filter(({ count }) => count === 500);
  assert.ok(batches.length >= 20);
  const gaps = batches.slice(1).map(({ at }, i) => at - (batches[i]?.at ?? 0));
  assert.ok(
    gaps.every((gap) => gap >= 400),
    gaps.join(),
  );
});

test('batches of long records are followed by as much rest, though few fill one', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.leave();
  await rig.time.pass(1_000);
  const reason = 'because of '.repeat(200);
  rig.emit(...Array.from({ length: 1_000 }, () => ({ kind: 'rack.stopping', reason }) as const));
  rig.region.isAway = false;
  rig.region.slow = 100;
  await rig.time.pass(MINUTE);
  const batches = rig.region.batches.filter(({ count }) => count > 50);
  assert.ok(batches.length >= 8 && batches.every(({ count }) => count < 500));
  const gaps = batches.slice(1).map(({ at }, i) => at - (batches[i]?.at ?? 0));
  assert.ok(
    gaps.every((gap) => gap >= 400),
    gaps.join(),
  );
});

test('a region that is back is known to be back within seconds, though it has no plan that is new', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.leave();
  await rig.time.pass(3_000);
  rig.region.isAway = false;
  await rig.time.pass(10_000);
  assert.deepEqual(rig.kinds, ['region.connected', 'region.lost', 'region.connected']);
  const asked = rig.region.plans.map(({ path }) => path.split('?')[1]);
  assert.deepEqual(asked, ['wait=55', 'after=1&wait=55', 'wait=55', 'after=1&wait=55']);
});

test('answers that are lost make nothing arrive twice', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.losesAnswers = true;
  rig.emitMany(0, 700);
  await rig.time.pass(MINUTE);
  rig.restart('dies');
  rig.emitMany(700, 10);
  await rig.time.pass(MINUTE);
  rig.region.losesAnswers = false;
  await rig.time.pass(3 * MINUTE);
  assert.deepEqual(rig.arrived, rising(710));
});

test('a letter that is handed over again, as a thread died, is told once', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  const letter = rig.emit({ kind: 'rack.ready', milliseconds: 0 });
  rig.restart('dies');
  rig.service.hearRegion(letter);
  rig.emitMany(1, 1);
  await rig.time.pass(5_000);
  assert.deepEqual(rig.arrived, [0, 1]);
  assert.equal(rig.wishes.filter(({ kind }) => kind === 'taken').length, 3);
});

test('what is worth nothing later is told at once or not at all', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  rig.emit({ kind: 'neighbour.refreshed', interface: 'eth0' });
  await rig.time.pass(1_000);
  rig.emit({ kind: 'neighbour.refreshed', interface: 'eth1' });
  await rig.time.pass(1_000);
  assert.deepEqual(rig.region.records.map((record) => record['interface']).filter(Boolean), ['eth1']);
});

test('the region is told of all leases when it is there, then of what changes, the last word of each address last', async (t) => {
  const rig = new SyncRig(t);
  rig.bind(lease(1), lease(2));
  rig.start();
  await rig.time.pass(1_000);
  assert.deepEqual(rig.region.kinds(), ['lease.all-begun', 'lease.bound', 'lease.bound', 'lease.all-ended']);
  rig.bind(lease(3), lease(1, 7));
  rig.end(3);
  rig.end(2);
  rig.bind(lease(2, 9));
  await rig.time.pass(1_000);
  assert.deepEqual(rig.region.kinds().slice(4), ['lease.bound', 'lease.ended', 'lease.bound']);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
  assert.deepEqual(rig.region.records.at(-1)?.['expires'], 1_800_000_000);
});

test('leases of a rack without a region cost nothing, and are all told when there is one', async (t) => {
  const rig = new SyncRig(t);
  rig.region.isAway = true;
  rig.start();
  for (let day = 0; day < 5; day++) {
    for (let address = 1; address < 100; address++) rig.bind(lease(address, address + day));
    await rig.time.pass(HOUR);
    rig.restart();
  }
  assert.equal(rig.lastState?.waiting, 0);
  rig.region.isAway = false;
  await rig.time.pass(2 * MINUTE);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
  assert.equal(rig.region.records.length, 101);
});

test('a whole telling of many leases goes on in parts, and what changes meanwhile comes behind it', async (t) => {
  const rig = new SyncRig(t);
  for (let address = 1; address <= 30_000; address++) rig.leases.set(address, lease(address));
  rig.start();
  rig.region.slow = 5;
  await rig.time.pass(200);
  assert.ok(rig.region.records.length < 30_000);
  rig.bind(lease(7, 77), lease(40_000));
  rig.end(29_999);
  await rig.time.pass(MINUTE);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
  assert.equal(rig.region.kinds().filter((kind) => kind === 'lease.all-begun').length, 1);
});

test('a telling that is cut off by an outage is begun anew, and an old list of leases counts for nothing', async (t) => {
  const rig = new SyncRig(t);
  rig.bind(lease(1), lease(2));
  rig.deaf.add('leases');
  rig.start();
  await rig.time.pass(1_000);
  const first = rig.wishes.find((wish) => wish.kind === 'leases');
  const { toColumns } = await import('../../src/service/lease-columns.ts');
  const old = toColumns([...rig.leases.values()]);
  rig.region.leave();
  rig.emitMany(0, 1);
  await rig.time.pass(5_000);
  rig.end(2);
  rig.region.isAway = false;
  rig.deaf.clear();
  await rig.time.pass(2 * MINUTE);
  assert.ok(first?.kind === 'leases');
  rig.service.hearRegion({ kind: 'all-leases', id: first.id, leases: old });
  await rig.time.pass(5_000);
  assert.deepEqual(rig.regionLeases, { '0.0.0.1': '00:00:00:00:00:01' });
});

test('out of bounds the oldest are given up, which is said once an outage, and counted in the region; leases are told whole then', async (t) => {
  const rig = new SyncRig(t);
  rig.bounds = { bytes: 512 * 1024, seconds: 14 * 86_400 };
  rig.start();
  rig.bind(lease(1));
  await rig.time.pass(1_000);
  rig.region.leave();
  await rig.time.pass(1_000);
  rig.emit({ kind: 'plan.refused', faults: ['now it is away'] });
  await rig.time.pass(1_000);
  rig.bind(lease(2));
  const sent = 20_000;
  for (let at = 0; at < sent; at += 500) rig.emitMany(at, 500);
  await rig.time.pass(1_000);
  assert.equal(rig.kinds.filter((kind) => kind === 'region.forgotten').length, 1);
  rig.region.isAway = false;
  await rig.time.pass(5 * MINUTE);
  const { arrived } = rig;
  assert.deepEqual(arrived, rising(sent).slice(-arrived.length));
  const counted = rig.region.batches.at(-1)?.forgotten?.count ?? 0;
  // What was on its way when the region went is not given up, as nobody knows whether it got there
  assert.ok(rig.region.kinds().includes('plan.refused'));
  assert.equal(arrived.length + counted, sent);
  assert.equal(rig.lastState?.forgotten, counted);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
});

test('what has waited for too long is given up although nothing new comes, and no clock that is set makes it wait longer', async (t) => {
  const rig = new SyncRig(t);
  rig.bounds = { ...rig.bounds, seconds: 3_600 };
  rig.region.isAway = true;
  rig.start();
  rig.emitMany(0, 700);
  rig.time.setWall(20_000 * DAY);
  await rig.time.pass(50 * MINUTE);
  assert.equal(rig.kinds.includes('region.forgotten'), false);
  rig.time.setWall(-20_000 * DAY);
  await rig.time.pass(25 * MINUTE);
  const told = rig.told.at(-1);
  assert.ok(told?.kind === 'region.forgotten');
  assert.equal(told.count, 700);
});

test('a file that is damaged while it is in use is replaced: another stream, and leases are told whole', async (t) => {
  const rig = new SyncRig(t);
  rig.bind(lease(1));
  rig.start();
  await rig.time.pass(1_000);
  const before = rig.region.batches.at(-1)?.stream;
  rig.service.close();
  rig.emitMany(0, 0);
  truncateSync(join(rig.state, 'outbox.db'), 3_000);
  rig.restart('dies');
  rig.emitMany(0, 2);
  await rig.time.pass(MINUTE);
  assert.ok(rig.kinds.includes('region.outbox-replaced'), rig.kinds.join());
  assert.notEqual(rig.region.batches.at(-1)?.stream, before);
  assert.deepEqual(rig.arrived, [0, 1]);
  assert.equal(rig.region.kinds().filter((kind) => kind === 'lease.all-ended').length, 2);
});

test('a state directory that was put back to an older time tells of another stream, and nothing is taken for known', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  rig.emitMany(0, 3);
  await rig.time.pass(1_000);
  rig.service.close();
  const database = new DatabaseSync(join(rig.state, 'outbox.db'));
  database.exec("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'record'");
  database.close();
  rig.restart('dies');
  rig.emitMany(3, 2);
  await rig.time.pass(5_000);
  assert.equal(new Set(rig.region.batches.map(({ stream }) => stream)).size, 2);
  assert.deepEqual(
    rig.arrived.findLast((number) => number >= 3),
    4,
  );
});

test('a region that was put back to an older time is heard whole: its plan, though its version was known, and its orders', async (t) => {
  const rig = new SyncRig(t);
  rig.region.orders = { import: 9, rotateKey: 7 };
  rig.region.version = 5;
  rig.start();
  await rig.time.pass(2_000);
  const ordered = (): unknown[] => rig.wishes.filter(({ kind }) => kind === 'order');
  const answers = (): unknown[] => rig.wishes.flatMap((wish) => (wish.kind === 'answer' ? [wish.answer.config] : []));
  const key = rig.credentials.read().key?.hash;
  rig.region.leave();
  await rig.time.pass(5_000);
  rig.region.config = { boot: { default: 'local' } };
  rig.region.orders = { import: 2 };
  rig.region.isAway = false;
  await rig.time.pass(MINUTE);
  assert.deepEqual(answers(), [{}, { boot: { default: 'local' } }]);
  assert.equal(ordered().length, 1, 'what was ordered before is not done again');
  rig.restart();
  rig.region.publish({}, { import: 3, rotateKey: 1 });
  await rig.time.pass(3_000);
  assert.equal(ordered().length, 2);
  assert.notEqual(rig.credentials.read().key?.hash, key);
  assert.equal(rig.credentials.read().rotated, 1);
});

test('a region that was put back has all leases told anew, which an operator hears of', async (t) => {
  const rig = new SyncRig(t);
  rig.bind(lease(1));
  rig.start();
  await rig.time.pass(1_000);
  const backup = rig.region.save();
  rig.bind(lease(2));
  rig.end(1);
  await rig.time.pass(1_000);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
  rig.region.leave();
  rig.bind(lease(3));
  await rig.time.pass(5_000);
  rig.region.restore(backup);
  rig.region.isAway = false;
  await rig.time.pass(2 * MINUTE);
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
  assert.deepEqual(
    rig.told.filter(({ kind }) => kind === 'region.went-back'),
    [{ kind: 'region.went-back', records: 2 }],
  );
});

/** What this rack tells when the other one has told fifty of the same stream: fewer, and more than fit a batch. */
for (const count of [10, 540]) {
  test(`of two racks with one state directory each has a stream of its own soon, and of ${count} events none is lost`, async (t) => {
    const rig = new SyncRig(t);
    rig.start();
    await rig.time.pass(1_000);
    rig.emitMany(0, 3);
    await rig.time.pass(1_000);
    rig.region.tellAsAnother(count === 10 ? 50 : 520);
    rig.emitMany(3, count);
    await rig.time.pass(5_000);
    assert.equal(rig.kinds.filter((kind) => kind === 'region.doubled').length, 1);
    assert.equal(new Set(rig.region.batches.map(({ stream }) => stream)).size, 2);
    assert.deepEqual(rig.arrived, rising(count + 3));
    assert.deepEqual(rig.regionLeases, rig.rackLeases);
  });
}

test('a disk that is full is said once, the letters stay with who has them, and all is told when it has room again', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  rig.bind(lease(1));
  await rig.time.pass(1_000);
  const original: (this: DatabaseSync, sql: string) => void = Reflect.get(DatabaseSync.prototype, 'exec');
  const mock = t.mock.method(DatabaseSync.prototype, 'exec', function full(this: DatabaseSync, sql: string) {
    if (sql === 'COMMIT') throw new Error('database or disk is full');
    return original.call(this, sql);
  });
  rig.emitMany(0, 2);
  rig.emitMany(2, 2);
  rig.bind(lease(2));
  await rig.time.pass(10_000);
  assert.equal(rig.wishes.filter(({ kind }) => kind === 'taken').length, 0);
  mock.mock.restore();
  await rig.time.pass(40_000);
  assert.deepEqual(rig.arrived, [0, 1, 2, 3]);
  assert.deepEqual(
    rig.kinds.filter((kind) => kind.startsWith('region.outbox')),
    ['region.outbox-failed', 'region.outbox-works'],
  );
  assert.deepEqual(rig.regionLeases, rig.rackLeases);
});

test('a record that the region can’t take is given up alone, and what is behind it arrives', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.refuses = (record) => record['milliseconds'] === 333;
  rig.emitMany(0, 600);
  await rig.time.pass(5_000);
  assert.deepEqual(
    rig.arrived,
    rising(600).filter((number) => number !== 333),
  );
  const told = rig.told.find(({ kind }) => kind === 'region.record-refused');
  assert.ok(told?.kind === 'region.record-refused');
  assert.equal(told.record, 'rack.ready');
  assert.match(told.reason, /^answers 400: records: number \d+ is nothing we know$/);
  assert.equal(rig.region.batches.at(-1)?.forgotten?.count, 1);
});

test('a region that takes no batch at all, not even an empty one, costs no record', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.refusesBatches = true;
  rig.emitMany(0, 8);
  await rig.time.pass(MINUTE);
  assert.deepEqual(rig.kinds, ['region.connected', 'region.lost']);
  rig.region.refusesBatches = false;
  await rig.time.pass(2 * MINUTE);
  assert.deepEqual(rig.arrived, rising(8));
});

test('an order is obeyed once, also over restarts, and one that came while the rack died is not lost', async (t) => {
  const rig = new SyncRig(t);
  rig.region.orders = { import: 1, stopImport: 4, scan: 2 };
  rig.start();
  await rig.time.pass(1_000);
  const ordered = (): string[] =>
    rig.wishes.flatMap((wish) => (wish.kind === 'order' ? [`${wish.order} ${wish.number}`] : []));
  assert.deepEqual(ordered(), ['scan 2', 'stopImport 4']);
  rig.restart();
  await rig.time.pass(1_000);
  assert.equal(ordered().length, 2);
  rig.deaf.add('order');
  rig.region.publish({}, { ...rig.region.orders, import: 5 });
  await rig.time.pass(1_000);
  assert.equal(ordered().length, 3);
  rig.deaf.clear();
  rig.restart('dies');
  await rig.time.pass(1_000);
  assert.deepEqual(ordered().slice(2), ['import 5', 'import 5']);
  rig.restart();
  await rig.time.pass(1_000);
  assert.equal(ordered().length, 4);
});

test('the region has the rack take a new key, once: it is in the file, used, and the old one is no more', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  const old = rig.credentials.read().key;
  rig.region.publish({}, { rotateKey: 1 });
  await rig.time.pass(3_000);
  const now = rig.credentials.read();
  assert.notEqual(now.key?.hash, old?.hash);
  assert.equal(now.next, undefined);
  assert.equal(rig.region.keyHash, now.key?.hash);
  assert.deepEqual(rig.kinds, ['region.connected', 'region.ordered', 'region.key-changed']);
  rig.restart();
  await rig.time.pass(2_000);
  assert.equal(rig.credentials.read().key?.hash, now.key?.hash);
  for (const text of [JSON.stringify(rig.told), JSON.stringify(rig.wishes)]) {
    assert.ok(!text.includes(now.key?.reveal() ?? '') && !text.includes(old?.reveal() ?? ''));
  }
});

test('a region that was put back to before a new key has the rack back by itself, by its present key', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  const old = rig.region.keyHash;
  rig.region.publish({}, { rotateKey: 1 });
  await rig.time.pass(3_000);
  const { keyHash } = rig.region;
  assert.notEqual(keyHash, old);
  rig.region.leave();
  await rig.time.pass(5_000);
  Object.assign(rig.region, { keyHash: old, orders: {}, isAway: false });
  rig.emitMany(0, 3);
  await rig.time.pass(MINUTE);
  assert.equal(rig.region.keyHash, keyHash);
  assert.equal(rig.region.nextKeyHash, undefined);
  assert.deepEqual(rig.arrived, [0, 1, 2]);
  assert.equal(rig.lastState?.link, 'connected');
  assert.deepEqual(rig.kinds.slice(3), ['region.lost', 'region.key-restored', 'region.connected']);
  const { key, previous } = rig.credentials.read();
  assert.deepEqual([key?.hash, previous?.hash], [keyHash, old]);
});

test('a region that knows neither key refuses the rack once, and is asked no more often than for one key', async (t) => {
  const rig = new SyncRig(t);
  const { key } = rig.credentials.read();
  assert.ok(key);
  rig.credentials.write({ rack: RACK, key, previous: RackSecret.create() });
  rig.region.keyHash = RackSecret.create().hash;
  rig.start();
  rig.emitMany(0, 1);
  await rig.time.pass(2_000);
  const first = rig.region.refused;
  assert.ok(first <= 6, `${first}`);
  await rig.time.pass(10 * MINUTE);
  // Plan, events and status, each once a minute
  assert.ok(rig.region.refused - first <= 33, `${rig.region.refused}`);
  assert.deepEqual(rig.kinds, ['region.refused']);
  rig.region.keyHash = key.hash;
  await rig.time.pass(4 * MINUTE);
  assert.deepEqual(rig.kinds, ['region.refused', 'region.connected']);
  assert.deepEqual(rig.arrived, [0]);
});

test('a new key that can’t be written is said once, tried until it can, and the old one is used on', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  const { mock } = t.mock.method(CredentialsFile.prototype, 'write', () => {
    throw new Error('read-only file system');
  });
  rig.region.publish({}, { rotateKey: 1 });
  await rig.time.pass(20_000);
  rig.emitMany(0, 1);
  await rig.time.pass(1_000);
  assert.deepEqual(rig.kinds, ['region.connected', 'region.key-failed']);
  assert.equal(rig.lastState?.link, 'connected');
  assert.deepEqual(rig.arrived, [0]);
  mock.restore();
  await rig.time.pass(5_000);
  assert.deepEqual(rig.kinds.slice(2), ['region.ordered', 'region.key-changed']);
});

test('a rack that is enrolled while it runs begins by itself within seconds', async (t) => {
  const rig = new SyncRig(t, false);
  rig.start();
  rig.emitMany(0, 2);
  await rig.time.pass(MINUTE);
  assert.deepEqual(rig.kinds, ['region.refused']);
  assert.equal(rig.lastState?.link, 'unknown');
  rig.enrol();
  await rig.time.pass(3_000);
  assert.deepEqual(rig.arrived, [0, 1]);
  assert.equal(rig.lastState?.link, 'connected');
});

test('the file is shown when the region wants to see it, and then at once', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.region.wantsFile = true;
  await rig.time.pass(31_000);
  const withFile = rig.region.statuses.filter(({ file }) => file?.config !== undefined);
  assert.equal(withFile.length, 1);
  // A region that goes on wanting it gets it with each report, and no oftener
  const before = rig.region.statuses.length;
  await rig.time.pass(MINUTE);
  assert.ok(rig.region.statuses.length - before <= 3);
});

test('what changed is reported a moment later, once for all that changed in it', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(2_000);
  const before = rig.region.statuses.length;
  for (let change = 0; change < 5; change++) rig.service.hearRegion({ kind: 'changed' });
  await rig.time.pass(2_000);
  assert.equal(rig.region.statuses.length, before + 1);
});

test('a clock that is far from the region’s is told once, shown, and hurts nothing', async (t) => {
  const rig = new SyncRig(t);
  rig.region.ahead = -3 * HOUR;
  rig.start();
  rig.emitMany(0, 2);
  await rig.time.pass(2 * MINUTE);
  assert.deepEqual(
    rig.told.filter(({ kind }) => kind.startsWith('region.clock')),
    [{ kind: 'region.clock-wrong', seconds: -10_800 }],
  );
  assert.equal(rig.lastState?.skewSeconds, -10_800);
  assert.deepEqual(rig.arrived, [0, 1]);
  rig.region.ahead = 1_000;
  await rig.time.pass(MINUTE);
  assert.equal(rig.told.at(-1)?.kind, 'region.clock-right');
});

test('a rack that follows no region any more says nothing, and goes on where it was when it does again', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  rig.emitMany(0, 1);
  await rig.time.pass(1_000);
  const { region: _gone, ...alone } = rig.plan();
  rig.service.apply(alone);
  const [plans, statuses] = [rig.region.plans.length, rig.region.statuses.length];
  await rig.time.pass(HOUR);
  assert.deepEqual([rig.region.plans.length, rig.region.statuses.length], [plans, statuses]);
  rig.start();
  rig.emitMany(1, 1);
  await rig.time.pass(MINUTE);
  assert.deepEqual(rig.arrived, [0, 1]);
});

test('other bounds end no connection, another URL does', async (t) => {
  const rig = new SyncRig(t);
  rig.start();
  await rig.time.pass(1_000);
  rig.bounds = { bytes: 2 ** 20, seconds: 3_600 };
  rig.start();
  await rig.time.pass(1_000);
  assert.equal(rig.region.plans.length, 2);
  rig.start({ urls: ['https://b'] });
  await rig.time.pass(1_000);
  assert.equal(rig.region.plans.length, 4);
  assert.equal(rig.lastState?.url, 'https://b');
});

test('which orders were obeyed is on disk, as who is who', async (t) => {
  const rig = new SyncRig(t);
  rig.region.orders = { scan: 9 };
  rig.start();
  await rig.time.pass(1_000);
  const kept = JSON.parse(readFileSync(join(rig.state, 'region-orders.json'), 'utf8')) as { scan: number };
  assert.equal(kept.scan, 9);
});
