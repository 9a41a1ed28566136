import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';

import type { ImageRow } from '../../src/images/image-row.ts';
import { openImageStore, readImageIndex } from '../../src/images/open-image-store.ts';
import { imageShelf } from '../../src/plan/stored-image.ts';
import { imageRow } from './image-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-index-'));
after(() => rmSync(root, { recursive: true }));
const NOW = 1_700_000_000_000;
const ROWS = 500;

function newFile(): string {
  return join(mkdtempSync(join(root, 'state-')), 'images.db');
}

function written(rows: readonly ImageRow[]): string {
  const file = newFile();
  const { store } = openImageStore(file, NOW);
  store.write({ set: rows });
  store.close();
  return file;
}

const inOrder = (rows: readonly ImageRow[]) => rows.map(({ version }) => version).toSorted();

test('what was written is there again, and nothing lies beside the file', () => {
  const retired = imageRow({ version: '20240102', retiredAt: 7 });
  const file = written([imageRow(), retired]);
  const { store } = openImageStore(file, NOW);
  const source = { name: 'mirror', triedAt: 5, goodAt: 5, troubles: ['noble/arm64: nothing'] };
  store.write({ gone: [imageRow()], sources: [source, { name: 'never', triedAt: 6, troubles: [] }] });
  assert.deepEqual(store.load().images, [retired]);
  store.close();
  assert.deepEqual(readImageIndex(file), {
    images: [retired],
    sources: [source, { name: 'never', triedAt: 6, troubles: [] }],
  });
  assert.deepEqual(readdirSync(dirname(file)), ['images.db']);
});

test('an index that is not there holds nothing, and reading makes none', () => {
  const file = newFile();
  assert.deepEqual(readImageIndex(file), { images: [], sources: [] });
  assert.equal(existsSync(file), false);
});

test('a change is written whole or not at all', () => {
  const file = written([imageRow()]);
  const { store } = openImageStore(file, NOW);
  const bad = { ...imageRow({ version: '2' }), os: undefined } as unknown as ImageRow;
  assert.throws(() => store.write({ gone: [imageRow()], set: [bad] }));
  assert.deepEqual(inOrder(store.load().images), ['20240101']);
  store.close();
});

test('who reads while it is written waits, and reads what was before or after', () => {
  const file = written([imageRow()]);
  const writer = new DatabaseSync(file);
  writer.exec('BEGIN IMMEDIATE; DELETE FROM image;');
  assert.equal(readImageIndex(file)?.images.length, 1);
  writer.exec('COMMIT');
  writer.close();
  assert.equal(readImageIndex(file)?.images.length, 0);
});

for (const [name, damage] of [
  ['no database', (file: string) => writeFileSync(file, 'hello'.repeat(2_000))],
  ['of another version', (file: string) => new DatabaseSync(file).exec('PRAGMA user_version = 99')],
  ['cut short', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096)],
  [
    'spoilt in the middle',
    (file: string) => {
      const fd = openSync(file, 'r+');
      writeSync(fd, Buffer.alloc(8192, 0xee), 0, 8192, Math.floor(statSync(file).size / 2 / 4096) * 4096);
      closeSync(fd);
    },
  ],
] as const) {
  test(`an index that is ${name} is set aside, and what can be read of it is taken over`, () => {
    const file = written(Array.from({ length: ROWS }, (_, i) => imageRow({ version: `2024${1000 + i}` })));
    damage(file);
    const { store, replaced } = openImageStore(file, NOW);
    assert.ok(replaced?.setAside !== undefined && existsSync(replaced.setAside));
    assert.equal(store.load().images.length, replaced.recovered);
    if (name.startsWith('spoilt')) assert.ok(replaced.recovered > ROWS / 4, `${replaced.recovered} of ${ROWS}`);
    store.close();
    assert.equal(openImageStore(file, NOW).replaced, undefined);
  });
}

/** A state whose shelf has a file. */
function filledState(): string {
  const file = newFile();
  mkdirSync(imageShelf(dirname(file)), { recursive: true });
  writeFileSync(join(imageShelf(dirname(file)), 'a'.repeat(64)), 'kernel');
  return file;
}

for (const [name, lose, reason, isKept] of [
  ['gone', (file: string) => rmSync(file), 'no such file', false],
  ['empty', (file: string) => truncateSync(file), 'an empty file', true],
  ['damaged', (file: string) => writeFileSync(file, 'hello'.repeat(2_000)), 'file is not a database', true],
] as const) {
  test(`an index that is ${name} beside files of images has a gap, until that is closed`, () => {
    const file = filledState();
    const before = openImageStore(file, NOW);
    before.store.write({ closesGap: true });
    before.store.close();
    lose(file);
    const { store, replaced } = openImageStore(file, NOW);
    assert.deepEqual([replaced?.reason, replaced?.setAside !== undefined], [reason, isKept]);
    assert.deepEqual(store.load().gap, { since: NOW, reason });
    store.close();
    const again = openImageStore(file, NOW + 1);
    assert.deepEqual([again.replaced, readImageIndex(file)?.gap], [undefined, { since: NOW, reason }]);
    again.store.write({ closesGap: true });
    assert.equal(again.store.load().gap, undefined);
    again.store.close();
    assert.equal(readImageIndex(file)?.gap, undefined);
  });
}

test('a first index has no gap, and neither has one of before there were any', () => {
  const file = written([imageRow()]);
  const database = new DatabaseSync(file);
  database.exec('DROP TABLE gap');
  database.close();
  assert.deepEqual(readImageIndex(file), { images: [imageRow()], sources: [] });
  const { store, replaced } = openImageStore(file, NOW);
  assert.deepEqual([replaced, store.load().gap], [undefined, undefined]);
  store.close();
});

test('an index that was taken away or replaced under a running rack is not sound any more', () => {
  const file = written([imageRow()]);
  const { store } = openImageStore(file, NOW);
  assert.equal(store.isSound(), true);
  renameSync(file, `${file}.old`);
  assert.equal(store.isSound(), false);
  openImageStore(file, NOW).store.close();
  assert.equal(store.isSound(), false);
  store.close();
});

for (const [name, column, value] of [
  ['no list of files', 'files', '{}'],
  ['a file that climbs', 'files', '[{"name":"a","ftype":"a","sha256":"../../x","size":1}]'],
  ['no JSON', 'details', '{'],
] as const) {
  test(`a row that is none of ours is passed over: ${name}`, () => {
    const file = written([imageRow(), imageRow({ version: '2' })]);
    const database = new DatabaseSync(file);
    database.prepare(`UPDATE image SET ${column} = ? WHERE version = '2'`).run(value);
    database.close();
    assert.deepEqual(inOrder(readImageIndex(file)?.images ?? []), ['20240101']);
  });
}

test('what was had of streams is kept, forgotten by image, and made room for in an index that has none yet', () => {
  const file = newFile();
  const first = openImageStore(file, NOW).store;
  const mark = { stream: 'http://m/', image: 'ubuntu/noble/amd64/ga-24.04/generic/stable', version: '2' };
  const other = { ...mark, stream: 'http://o/' };
  const stamp = { stream: 'http://m/', place: 'http://m/streams/v1/index.sjson', updated: 7 };
  first.write({ newest: [mark, other], stamps: [stamp] });
  first.write({ newest: [{ ...other, version: '3' }], stamps: [{ ...stamp, updated: 8 }] });
  assert.deepEqual(first.marks(), { newest: [mark, { ...other, version: '3' }], stamps: [{ ...stamp, updated: 8 }] });
  first.write({ forgotten: [mark] });
  assert.deepEqual(first.marks(), { newest: [{ ...other, version: '3' }], stamps: [] });
  first.close();
  const database = new DatabaseSync(file);
  database.exec('DROP TABLE newest; DROP TABLE stamp;');
  database.close();
  const { store, replaced } = openImageStore(file, NOW);
  assert.deepEqual([replaced, store.marks()], [undefined, { newest: [], stamps: [] }]);
  store.close();
});
