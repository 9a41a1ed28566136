import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';

import { freshRow, type BootRow } from '../../src/boots/boot-row.ts';
import { openBootStore } from '../../src/boots/open-boot-store.ts';
import { readBootsAside } from '../../src/boots/read-boots-aside.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { ip4, mac } from '../boot/boot-plan-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-boots-'));
after(() => rmSync(directory, { recursive: true }));
const NOW = 1_700_000_000_000;
const PAGE = 4096;
const ROWS = 2_000;
let files = 0;

const NODE1 = mac('52:54:00:00:00:01');
const FULL: BootRow = {
  mac: NODE1,
  entry: 'debian',
  host: 'node1',
  askedAt: 5,
  address: ip4('192.0.2.21'),
  files: { '/srv/k': { size: 10, spans: [[0, 3]] } },
  isCounted: true,
  boots: [1, 2],
  heardAt: 7,
  state: { kind: 'armed' },
};
const STATES: readonly BootRow[] = [
  FULL,
  { ...FULL, entry: 'a', state: { kind: 'done', by: 'reported', since: 9 } },
  { ...FULL, entry: 'b', state: { kind: 'done', by: 'delivered', since: 9 } },
  { ...FULL, entry: 'c', state: { kind: 'held', boots: 8, withinSeconds: 7200, since: 9 } },
  { ...freshRow({ mac: mac('02:00:00:00:00:01'), entry: 'd' }) },
];

function newFile(): string {
  return join(mkdtempSync(join(directory, `${files++}-`)), 'state', 'boots.db');
}

function written(rows: readonly BootRow[]): string {
  const file = newFile();
  const { store } = openBootStore(file, NOW);
  store.write({ rows: rows.map((row) => [row, row]), lostSince: undefined });
  store.close();
  return file;
}

function many(): BootRow[] {
  return Array.from({ length: ROWS }, (_, i) => ({ ...FULL, mac: (0x525400000000 + i) as Mac }));
}

function load(file: string): readonly BootRow[] {
  const { store, rows } = openBootStore(file, NOW);
  store.close();
  return rows;
}

const byEntry = (a: BootRow, b: BootRow): number => (a.entry < b.entry ? -1 : 1);

test('what was written is read again, and what is gone is not', () => {
  const file = written(STATES);
  assert.deepEqual(load(file).toSorted(byEntry), STATES.toSorted(byEntry));
  const { store } = openBootStore(file, NOW);
  store.write({ rows: STATES.slice(1).map((row) => [row, undefined]), lostSince: 5 });
  store.close();
  const again = openBootStore(file, NOW);
  assert.deepEqual([again.rows, again.lostSince], [[FULL], 5]);
  again.store.write({ rows: [], lostSince: undefined });
  again.store.close();
  assert.equal(openBootStore(file, NOW).lostSince, undefined);
});

test('a rack that starts for the first time has lost nothing', () => {
  const { rows, lostSince, replaced, fault, store } = openBootStore(newFile(), NOW);
  store.close();
  assert.deepEqual([rows, lostSince, replaced, fault], [[], undefined, undefined, undefined]);
});

const DAMAGES: readonly (readonly [what: string, spoil: (file: string) => void, atLeast: number])[] = [
  ['of garbage', (file) => writeFileSync(file, 'boots\n'.repeat(5_000)), 0],
  [
    'with bad pages',
    (file) => {
      const content = readFileSync(file);
      for (const page of [20, 21]) content.fill(0xa5, page * PAGE, (page + 1) * PAGE);
      writeFileSync(file, content);
    },
    1_000,
  ],
  ['cut in half', (file) => truncateSync(file, 40 * PAGE), 100],
  ['of another version', (file) => execute(file, 'PRAGMA user_version = 7'), ROWS],
  ['without its table', (file) => execute(file, 'DROP VIEW boots; DROP TABLE boot'), 0],
];

function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

for (const [what, spoil, atLeast] of DAMAGES) {
  test(`a file ${what} is set aside, ${atLeast} states or more are taken over, and the rest is known to be lost`, () => {
    const file = written(many());
    spoil(file);
    const { store, rows, lostSince, replaced } = openBootStore(file, NOW);
    store.close();
    assert.ok(rows.length >= atLeast, `${rows.length} rows`);
    assert.deepEqual(
      rows.find((row) => row.mac === 0x525400000000),
      atLeast > 0 ? { ...FULL, mac: 0x525400000000 } : undefined,
    );
    assert.deepEqual([lostSince, replaced?.recovered], [NOW, rows.length]);
    assert.equal(basename(replaced?.setAside ?? ''), 'boots.db.corrupt-20231114T221320Z');
    assert.ok(existsSync(replaced?.setAside ?? ''));
    const again = openBootStore(file, NOW + 1);
    again.store.close();
    assert.deepEqual([again.rows.length, again.lostSince, again.replaced], [rows.length, NOW, undefined]);
  });
}

const OUT_OF_REACH: readonly (readonly [string, (folder: string) => void])[] = [
  ['a file behind a link to a volume that is not mounted', (folder) => link(folder, 'boots.db', '/nowhere/boots.db')],
  ['a file behind links in a circle', (folder) => link(folder, 'boots.db', 'boots.db')],
];

function link(folder: string, name: string, to: string): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(to, join(folder, name));
}

for (const [what, make] of OUT_OF_REACH) {
  test(`${what} is no new rack: what is in it counts as lost`, () => {
    const file = newFile();
    make(join(file, '..'));
    const { store, rows, lostSince, fault } = openBootStore(file, NOW);
    store.close();
    assert.deepEqual([rows, lostSince], [[], NOW]);
    assert.notEqual(fault, undefined);
  });
}

test('a state directory that is a link to a volume that is not mounted is no new rack', () => {
  const file = newFile();
  link(join(file, '..', '..'), 'state', '/nowhere/at/all');
  const { store, lostSince } = openBootStore(file, NOW);
  store.close();
  assert.equal(lostSince, NOW);
});

test('progress that is not what we wrote is no progress, and what was promised stands', () => {
  const file = written(STATES);
  execute(file, `UPDATE boot SET progress = '{"files":{"/k":{"size":"x"}},"boots":["y"]}'`);
  const rows = load(file);
  assert.ok(rows.every((row) => Object.keys(row.files).length === 0 && row.boots.length === 0));
  assert.deepEqual(rows.map(({ state }) => state.kind).toSorted(), ['armed', 'armed', 'done', 'done', 'held']);
});

test('a place where nothing can be written is tried anew with each write', () => {
  const file = join(mkdtempSync(join(directory, `${files++}-`)), 'state', 'boots.db');
  writeFileSync(join(file, '..', '..', 'state'), 'in the way');
  const { store, rows, lostSince, fault } = openBootStore(file, NOW);
  // Nothing was ever written there
  assert.deepEqual([rows, lostSince], [[], undefined]);
  assert.notEqual(fault, undefined);
  const changes = { rows: [[FULL, FULL]] as const, lostSince: undefined };
  assert.throws(() => store.write(changes));
  rmSync(join(file, '..'));
  store.write(changes);
  store.close();
  assert.deepEqual(load(file), [FULL]);
});

test('a file that is there and can’t be read counts as lost', () => {
  const file = newFile();
  mkdirSync(file, { recursive: true });
  const { store, lostSince, fault } = openBootStore(file, NOW);
  store.close();
  assert.equal(lostSince, NOW);
  assert.notEqual(fault, undefined);
});

test('the states of a daemon’s file are read without a touch, those of a damaged one as it would start with it', () => {
  const file = written(STATES);
  const running = openBootStore(file, NOW);
  const states = readBootsAside(file, NOW);
  assert.deepEqual(states.of(NODE1, 'c')?.kind, 'held');
  assert.equal(states.of(mac('02:00:00:00:00:09'), 'c'), undefined);
  running.store.close();
  writeFileSync(file, 'garbage'.repeat(1_000));
  assert.equal(readBootsAside(file, NOW).lostSince, NOW);
  assert.equal(readBootsAside(join(directory, 'none.db'), NOW).lostSince, undefined);
});
