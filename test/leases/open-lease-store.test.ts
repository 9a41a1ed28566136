import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';

import { SqliteLeaseStore } from '../../src/leases/lease-store.ts';
import { openLeaseStore, type OpenedStore } from '../../src/leases/open-lease-store.ts';
import { lease } from './lease-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-open-'));
after(() => rmSync(directory, { recursive: true }));
const clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };
const LEASES = 5_000;
const PAGE = 4096;
let files = 0;

/** A file with 5,000 leases in it, on some hundred pages. */
function fullFile(): string {
  const file = join(mkdtempSync(join(directory, `${files++}-`)), 'leases.db');
  const store = new SqliteLeaseStore(file, clock);
  store.write(Array.from({ length: LEASES }, (_, i) => lease(i, `52:54:00:00:${i}`, 100, { name: `node${i}` })));
  store.close();
  return file;
}

function spoil(file: string, from: number, bytes: number): void {
  const content = readFileSync(file);
  content.fill(0xa5, from, from + bytes);
  writeFileSync(file, content);
}

/** Opens, checks that the service could go on, and tells what came of it. */
function open(file: string): { opened: OpenedStore; loaded: number } {
  const opened = openLeaseStore(file, clock);
  const loaded = opened.store.load().length;
  opened.store.write([lease(9_999_999, 'new', 200)]);
  assert.equal(opened.store.load().length, loaded + 1);
  opened.store.close();
  return { opened, loaded };
}

test('a sound file is opened as it is, and a missing one is made', () => {
  const file = fullFile();
  assert.deepEqual([open(file).loaded, open(join(dirname(file), 'other.db')).loaded], [LEASES, 0]);
  assert.deepEqual(readdirSync(dirname(file)).toSorted(), ['leases.db', 'other.db']);
});

const DAMAGES: readonly (readonly [what: string, spoil: (file: string) => void, atLeast: number])[] = [
  ['of garbage', (file) => writeFileSync(file, 'lease 192.0.2.1 { ends never; }\n'.repeat(500)), 0],
  ['whose first page is gone', (file) => spoil(file, 0, PAGE), 0],
  ['with one bad page', (file) => spoil(file, 20 * PAGE, PAGE), LEASES - 100],
  [
    'with five bad pages',
    (file) => [10, 20, 21, 30, 40].forEach((page) => spoil(file, page * PAGE, PAGE)),
    LEASES - 500,
  ],
  ['cut in half', (file) => truncateSync(file, 40 * PAGE), 1_000],
  [
    'of another version',
    (file) => {
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 7');
      database.close();
    },
    LEASES,
  ],
  [
    'without its table',
    (file) => {
      const database = new DatabaseSync(file);
      database.exec('DROP VIEW leases; DROP TABLE lease');
      database.close();
    },
    0,
  ],
];

for (const [what, damage, atLeast] of DAMAGES) {
  test(`a file ${what} is set aside, and ${atLeast} leases or more are taken over from it`, () => {
    const file = fullFile();
    damage(file);
    const { opened, loaded } = open(file);
    assert.ok(loaded >= atLeast && loaded <= LEASES, `${loaded} leases`);
    const { setAside = '', recovered, reason } = opened.replaced ?? {};
    assert.equal(recovered, loaded);
    assert.equal(basename(setAside), 'leases.db.corrupt-20231114T221320Z');
    assert.ok(existsSync(setAside));
    assert.notEqual(reason, '');
    // It is sound from here on
    assert.equal(openLeaseStore(file, clock).replaced, undefined);
  });
}

test('each lease recovered is as it was written', () => {
  const file = fullFile();
  spoil(file, 20 * PAGE, PAGE);
  const { store } = openLeaseStore(file, clock);
  for (const { address, ...rest } of store.load()) {
    const i = address - lease(0, '', 0).address;
    assert.deepEqual({ address, ...rest }, lease(i, `52:54:00:00:${i}`, 100, { name: `node${i}` }));
  }
  store.close();
});

test('a second damaged file of the same second does not take the place of the first', () => {
  const file = fullFile();
  for (const text of ['first', 'second']) {
    writeFileSync(file, text.repeat(1000));
    open(file);
  }
  assert.equal(readdirSync(dirname(file)).filter((name) => name.includes('corrupt')).length, 2);
});

test('leases that are in the log only are recovered with the rest', () => {
  const file = fullFile();
  const writer = new SqliteLeaseStore(file, clock);
  writer.write([lease(8_000_000, 'late', 300)]);
  // As a kill leaves it: the log is not in the file yet
  const [main, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
  writer.close();
  writeFileSync(file, main);
  writeFileSync(`${file}-wal`, log);
  spoil(file, 20 * PAGE, PAGE);
  const { store, replaced } = openLeaseStore(file, clock);
  assert.ok(replaced);
  assert.ok(store.load().some(({ client }) => client === 'late'));
  store.close();
});

test('a directory that is not there is an error and no damage', () => {
  assert.throws(() => openLeaseStore(join(directory, 'no', 'leases.db'), clock), /unable to open/);
});

test('the last write is known at the next start', () => {
  const file = fullFile();
  assert.equal(openLeaseStore(file, clock).store.lastWrite, 1_700_000_000);
});
