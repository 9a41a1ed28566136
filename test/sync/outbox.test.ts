import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { after, test, type TestContext } from 'node:test';

import { openOutbox } from '../../src/sync/open-outbox.ts';
import { Outbox, type NewRecord, type OutboxBounds } from '../../src/sync/outbox.ts';
import { HandClock } from './hand-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-outbox-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function newFile(): string {
  return join(directory, `outbox-${files++}.db`);
}

const DAY = 86_400_000;
const ROOMY: OutboxBounds = { milliseconds: 14 * DAY, bytes: 256 * 2 ** 20 };
const clock = new HandClock(100 * DAY);
const ALL = 1_000_000;

function open(t: TestContext, file = newFile(), bounds = ROOMY): Outbox {
  const outbox = new Outbox(file, clock, bounds);
  t.after(() => outbox.close());
  return outbox;
}

function event(name: string): NewRecord {
  return { isLease: false, body: JSON.stringify({ at: clock.now(), kind: 'test.event', name }) };
}

function lease(name: string): NewRecord {
  return { ...event(name), isLease: true };
}

function names(outbox: Outbox): string[] {
  return outbox.lend(ALL, ALL).map(({ body }) => (JSON.parse(body) as { name: string }).name);
}

function numbers(outbox: Outbox): number[] {
  return outbox.lend(ALL, ALL).map(({ number }) => number);
}

test('records come out in the order they went in, and go when the region has them', (t) => {
  const outbox = open(t);
  outbox.add({ records: [event('a'), lease('b')] });
  outbox.add({ records: [event('c')] });
  assert.deepEqual(names(outbox), ['a', 'b', 'c']);
  outbox.settle(2);
  assert.deepEqual(names(outbox), ['c']);
  assert.deepEqual(outbox.waiting(), { count: 1, oldest: clock.now() });
  outbox.settle(3);
  assert.deepEqual(outbox.waiting(), { count: 0 });
});

test('what waits outlives the process, with its numbers, its stream and what was given up', (t) => {
  const file = newFile();
  const before = new Outbox(file, clock, ROOMY);
  before.add({ records: [event('a'), event('b'), event('c')], forgotten: { count: 2, before: 7 } });
  before.settle(1);
  const { stream } = before;
  before.close();
  const outbox = open(t, file);
  assert.equal(outbox.stream, stream);
  assert.deepEqual(outbox.forgotten, { count: 2, before: 7 });
  assert.equal(outbox.count, 2);
  assert.deepEqual(numbers(outbox), [2, 3]);
});

test('a number is given once, also where all that had one are gone and the process is another', (t) => {
  const file = newFile();
  const before = new Outbox(file, clock, ROOMY);
  before.add({ records: [event('a'), event('b')] });
  before.settle(2);
  before.close();
  const outbox = open(t, file);
  outbox.add({ records: [event('c')] });
  assert.deepEqual(numbers(outbox), [3]);
});

test('commits are on disk before anything of them is sent: a power cut gives no number twice', (t) => {
  const outbox = open(t);
  const { mock } = t.mock.method(DatabaseSync.prototype, 'exec');
  const again = new Outbox(newFile(), clock, ROOMY);
  again.close();
  assert.ok(mock.calls.some(({ arguments: [sql] }) => /synchronous = FULL/.test(sql)));
  assert.equal(outbox.count, 0);
});

test('that the region has a batch makes nobody wait for the disk; what is added after that is on disk again', (t) => {
  const outbox = open(t);
  outbox.add({ records: [event('a'), event('b')] });
  const { mock } = t.mock.method(DatabaseSync.prototype, 'exec');
  outbox.settle(1);
  outbox.add({ records: [event('c')] });
  const said = mock.calls.map(({ arguments: [sql] }) => sql);
  const [normal, full] = ['PRAGMA synchronous = NORMAL', 'PRAGMA synchronous = FULL'];
  assert.deepEqual(said, [normal, 'BEGIN', 'COMMIT', full, 'BEGIN', 'COMMIT']);
  // Also where the disk does not take it
  const original: (this: DatabaseSync, sql: string) => StatementSync = Reflect.get(DatabaseSync.prototype, 'prepare');
  t.mock.method(DatabaseSync.prototype, 'prepare', function broken(this: DatabaseSync, sql: string) {
    if (sql.startsWith('DELETE')) throw new Error('database or disk is full');
    return original.call(this, sql);
  });
  assert.throws(() => outbox.settle(2), /full/);
  assert.equal(mock.calls.at(-1)?.arguments[0], full);
});

test('a batch has as many as are asked for and as fit, and one at least', (t) => {
  const outbox = open(t);
  outbox.add({ records: ['a', 'b', 'c', 'd'].map((name) => event(name)) });
  assert.equal(outbox.lend(3, ALL).length, 3);
  const { length } = event('a').body;
  assert.equal(outbox.lend(ALL, 2 * length).length, 2);
  assert.equal(outbox.lend(ALL, 1).length, 1);
});

test('a letter that is handed over twice is known', (t) => {
  const outbox = open(t);
  outbox.add({ records: [event('a')], letter: { life: 'x', number: 4 } });
  assert.equal(outbox.hasTaken({ life: 'x', number: 4 }), true);
  assert.equal(outbox.hasTaken({ life: 'x', number: 3 }), true);
  assert.equal(outbox.hasTaken({ life: 'x', number: 5 }), false);
  assert.equal(outbox.hasTaken({ life: 'y', number: 1 }), false);
});

test('what is too old is given up and counted, but for what is being sent', (t) => {
  const outbox = open(t);
  const began = clock.now();
  for (const name of ['a', 'b', 'c']) {
    outbox.add({ records: [event(name)] });
    clock.pass(1);
  }
  clock.pass(14 * DAY);
  outbox.add({ records: [event('young')] });
  const [first] = outbox.lend(1, ALL);
  assert.equal(first?.number, 1);
  assert.equal(outbox.trim(), 2);
  assert.deepEqual(outbox.forgotten, { count: 2, before: began + 2 });
  assert.equal(outbox.count, 2);
  // Nobody took it
  outbox.settle(0);
  assert.equal(outbox.trim(), 1);
  assert.deepEqual(outbox.forgotten, { count: 3, before: began });
  assert.deepEqual(names(outbox), ['young']);
});

const AWAY = [20_000 * DAY, -20_000 * DAY, 15 * DAY, -15 * DAY] as const;
for (const away of AWAY) {
  for (const how of ['while it runs', 'while it is down'] as const) {
    test(`a clock that is set by ${away / DAY} days ${how} makes nothing old, and nothing stay for longer`, () => {
      const file = newFile();
      let outbox = new Outbox(file, clock, ROOMY);
      outbox.add({ records: [event('a')] });
      if (how === 'while it is down') {
        outbox.close();
        clock.restart();
      }
      clock.set(away);
      if (how === 'while it is down') outbox = new Outbox(file, clock, ROOMY);
      assert.equal(outbox.trim(), 0);
      outbox.add({ records: [event('b')] });
      clock.pass(13 * DAY);
      assert.equal(outbox.trim(), 0);
      clock.pass(1 * DAY + 1);
      outbox.add({ records: [event('c')] });
      assert.equal(outbox.trim(), 2);
      assert.deepEqual(names(outbox), ['c']);
      outbox.close();
    });
  }
}

test('a rack that starts in 1970 and is then set right keeps what waited, and what came meanwhile is known by the right time', (t) => {
  const file = newFile();
  const before = new Outbox(file, clock, ROOMY);
  const began = clock.now();
  before.add({ records: [event('before')] });
  before.close();
  clock.restart();
  const away = clock.now() - 5_000;
  clock.set(-away);
  const dead = new Outbox(file, clock, ROOMY);
  dead.add({ records: [event('in 1970')] });
  assert.equal(dead.waiting().oldest, began);
  clock.pass(30_000);
  clock.set(away);
  assert.equal(dead.trim(), 0);
  dead.settle(1);
  assert.equal(dead.waiting().oldest, clock.now() - 30_000);
  const right = clock.now() - 30_000;
  dead.close();
  clock.restart();
  clock.pass(DAY);
  const outbox = open(t, file);
  assert.equal(outbox.waiting().oldest, right);
  assert.deepEqual(names(outbox), ['in 1970']);
});

test('how long it has waited is on disk, also where nothing came: starts do not make it wait anew', () => {
  const file = newFile();
  let outbox = new Outbox(file, clock, ROOMY);
  outbox.add({ records: [event('a')] });
  for (let day = 0; day < 15; day++) {
    assert.equal(outbox.forgotten, undefined);
    clock.pass(DAY);
    outbox.trim();
    outbox.close();
    clock.restart();
    outbox = new Outbox(file, clock, ROOMY);
  }
  assert.equal(outbox.forgotten?.count, 1);
  outbox.close();
});

test('a file of version 1 keeps what waits, its numbers, its stream and what it said of time', (t) => {
  const file = newFile();
  const now = clock.now();
  withSql(
    file,
    `CREATE TABLE record (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, lease INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
     CREATE INDEX record_lease ON record (number) WHERE lease;
     CREATE TABLE stream (uuid TEXT NOT NULL, forgotten INTEGER NOT NULL, before INTEGER NOT NULL, life TEXT NOT NULL, letter INTEGER NOT NULL, waiting INTEGER NOT NULL) STRICT;
     INSERT INTO stream VALUES ('the stream', 3, 7, 'life', 4, 3);
     INSERT INTO record VALUES (8, ${now - DAY}, 0, '{"name":"a"}'), (9, ${now + 900 * DAY}, 0, '{"name":"of a wrong clock"}'), (10, ${now}, 1, '{"name":"c"}');
     PRAGMA user_version = 1;`,
  );
  clock.set(5_000 * DAY);
  const outbox = open(t, file);
  assert.equal(outbox.trim(), 0);
  assert.deepEqual([outbox.stream, outbox.count, outbox.last], ['the stream', 3, 10]);
  assert.deepEqual(outbox.forgotten, { count: 3, before: 7 });
  assert.equal(outbox.hasTaken({ life: 'life', number: 4 }), true);
  assert.equal(outbox.waiting().oldest, now - DAY);
  assert.deepEqual(names(outbox), ['a', 'of a wrong clock', 'c']);
  outbox.settle(0);
  outbox.add({ records: [event('new')] });
  assert.equal(outbox.last, 11);
  clock.pass(14 * DAY + 1);
  outbox.add({ records: [event('young')] });
  outbox.trim();
  assert.deepEqual(outbox.forgotten?.count, 6);
  assert.deepEqual(names(outbox), ['young']);
});

test('the oldest go when there is too much, no more than that, and all are counted', () => {
  const bounds = { ...ROOMY, bytes: 512 * 1024 };
  const file = newFile();
  const outbox = new Outbox(file, clock, bounds);
  const words = 'x'.repeat(400);
  let added = 0;
  for (let round = 0; round < 40; round++) {
    outbox.add({ records: Array.from({ length: 100 }, () => event(`${added++} ${words}`)) });
    outbox.trim();
    const left = numbers(outbox);
    assert.equal(left.at(-1), added);
    outbox.settle(0);
    assert.equal((outbox.forgotten?.count ?? 0) + left.length, added);
    assert.equal(left.length, outbox.count);
  }
  assert.ok(outbox.count > 700, `${outbox.count} records`);
  outbox.close();
  assert.ok(statSync(file).size < 3 * bounds.bytes);
});

test('with what is given up go the leases that wait, uncounted: they are told whole', (t) => {
  const outbox = open(t);
  const began = clock.now();
  outbox.add({ records: [event('old'), lease('a')] });
  clock.pass(14 * DAY + 1);
  outbox.add({ records: [event('young'), lease('b')] });
  assert.equal(outbox.trim(), 3);
  assert.deepEqual(outbox.forgotten, { count: 1, before: began });
  assert.deepEqual(names(outbox), ['young']);
});

test('a whole telling of leases takes the place of the changes that wait, but for those being sent', (t) => {
  const outbox = open(t);
  outbox.add({ records: [lease('a'), event('b'), lease('c')] });
  outbox.lend(1, ALL);
  outbox.add({ records: [lease('begun'), lease('d')], beginsTelling: true });
  assert.deepEqual(names(outbox), ['a', 'b', 'begun', 'd']);
  assert.equal(outbox.count, 4);
});

test('a record that is given up is counted, and its number is not given again', (t) => {
  const outbox = open(t);
  const began = clock.now();
  outbox.add({ records: [event('a'), event('b')] });
  clock.pass(DAY);
  outbox.giveUp(1);
  outbox.giveUp(1);
  assert.deepEqual(outbox.forgotten, { count: 1, before: began });
  assert.deepEqual(numbers(outbox), [2]);
});

test('an older copy of itself becomes another stream, with what waits in it', (t) => {
  const outbox = open(t);
  const { stream } = outbox;
  outbox.add({ records: [event('a')] });
  outbox.beginStream();
  assert.notEqual(outbox.stream, stream);
  assert.deepEqual(names(outbox), ['a']);
});

test('a disk that takes no deletion does not make us send again what the region has', (t) => {
  const outbox = open(t);
  outbox.add({ records: [event('a'), event('b')] });
  const original: (this: DatabaseSync, sql: string) => StatementSync = Reflect.get(DatabaseSync.prototype, 'prepare');
  const mock = t.mock.method(DatabaseSync.prototype, 'prepare', function full(this: DatabaseSync, sql: string) {
    if (sql.startsWith('DELETE')) throw new Error('database or disk is full');
    return original.call(this, sql);
  });
  assert.throws(() => outbox.settle(1), /full/);
  assert.deepEqual(names(outbox), ['b']);
  mock.mock.restore();
  outbox.settle(1);
  assert.equal(outbox.count, 1);
});

for (const [what, spoil] of [
  ['cut short', (file: string) => truncateSync(file, 5000)],
  ['no database', (file: string) => writeFileSync(file, 'this is text, and was never anything else\n'.repeat(100))],
  ['of another version', (file: string) => withSql(file, 'PRAGMA user_version = 99')],
] as const) {
  test(`a file that is ${what} is set aside, and another stream begins`, () => {
    const place = mkdtempSync(join(directory, 'spoilt-'));
    const file = join(place, 'outbox.db');
    const first = openOutbox(file, clock, ROOMY);
    first.outbox.add({ records: Array.from({ length: 200 }, (_, i) => event(`${i} ${'x'.repeat(200)}`)) });
    const { stream } = first.outbox;
    first.outbox.close();
    spoil(file);
    const { outbox, replaced, fault } = openOutbox(file, clock, ROOMY);
    assert.equal(fault, undefined);
    assert.match(replaced?.setAside ?? '', /outbox\.db\.corrupt-/);
    assert.notEqual(outbox.stream, stream);
    assert.equal(outbox.count, 0);
    outbox.close();
    assert.ok(readdirSync(place).some((name) => name.startsWith('outbox.db.corrupt-')));
  });
}

test('where no file can be had, what waits is in memory', () => {
  const file = newFile();
  writeFileSync(file, 'a file where a directory should be');
  const { outbox, replaced, fault } = openOutbox(join(file, 'outbox.db'), clock, ROOMY);
  assert.equal(replaced, undefined);
  assert.match(fault ?? '', /ENOTDIR|EEXIST/);
  outbox.add({ records: [event('a')] });
  assert.deepEqual(names(outbox), ['a']);
  outbox.close();
});

function withSql(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}
