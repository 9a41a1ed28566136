import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';

import { findGarbage, type Garbage, type GarbageQuestion } from '../../src/images/collect-garbage.ts';
import { FileShelf } from '../../src/images/file-shelf.ts';
import { imageRow } from './image-fixture.ts';
import { sha256 } from './streams/stream-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-garbage-'));
after(() => rmSync(root, { recursive: true }));
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A shelf of these files, which came just now. */
async function shelfOf(...contents: readonly string[]): Promise<FileShelf> {
  const shelf = new FileShelf(mkdtempSync(join(root, 'state-')));
  shelf.prepare();
  for (const content of contents) await shelf.put(Buffer.from(content));
  return shelf;
}

function rowOf(content: string, retiredAt?: number) {
  const files = [{ name: 'boot-kernel', ftype: 'boot-kernel', sha256: sha256(content), size: content.length }];
  return imageRow({ version: content, files, ...(retiredAt !== undefined && { retiredAt }) });
}

/** `later`: milliseconds from now. */
function garbageOf(shelf: FileShelf, later: number, more: Partial<GarbageQuestion> = {}): Garbage {
  return findGarbage({ shelf, rows: [], named: new Set(), now: Date.now() + later, isHeld: false, ...more });
}

const sums = (files: readonly { readonly sha256: string }[]) => files.map((file) => file.sha256);

test('what came in the last hour stays, also when it is of a version that went long ago', async () => {
  const shelf = await shelfOf('old', 'new');
  const rows = [rowOf('old', 0)];
  const early = garbageOf(shelf, HOUR / 2, { rows });
  assert.deepEqual([early.rows, early.files, early.strays], [rows, [], []]);
  const late = garbageOf(shelf, 2 * HOUR, { rows });
  assert.deepEqual([sums(late.files), sums(late.strays)], [[sha256('old')], [sha256('new')]]);
});

test('what the Plan names, a published version has, or is held stays', async () => {
  const shelf = await shelfOf('named', 'published', 'held', 'of nobody');
  const hold = shelf.hold();
  hold.add(sha256('held'));
  const question = { rows: [rowOf('published')], named: new Set([shelf.pathOf(sha256('named'))]) };
  assert.deepEqual(sums(garbageOf(shelf, DAY, question).strays), [sha256('of nobody')]);
  hold[Symbol.dispose]();
  assert.equal(garbageOf(shelf, DAY, question).strays.length, 2);
});

test('while the index may not know whose files are, no version and no whole file goes', async () => {
  const shelf = await shelfOf('old', 'of nobody');
  const { rows, files, strays } = garbageOf(shelf, 400 * DAY, { rows: [rowOf('old', 0)], isHeld: true });
  assert.deepEqual([rows, files, strays], [[], [], []]);
});

test('all is known when every file is of a version, or goes', async () => {
  const shelf = await shelfOf('mine', 'of nobody');
  assert.equal(garbageOf(shelf, 0, { rows: [rowOf('mine')] }).isAllKnown, false);
  assert.equal(garbageOf(shelf, DAY, { rows: [rowOf('mine')] }).isAllKnown, true);
  const named = new Set([shelf.pathOf(sha256('of nobody'))]);
  assert.equal(garbageOf(shelf, DAY, { rows: [rowOf('mine')], named }).isAllKnown, false);
});

test('a part goes after a week without news, but not while it is being written or wanted', async () => {
  const shelf = await shelfOf();
  const [stale, fresh, open, wanted] = ['stale', 'fresh', 'open', 'wanted'].map((each) => sha256(each)) as [
    string,
    string,
    string,
    string,
  ];
  for (const sum of [stale, fresh, open, wanted]) writeFileSync(shelf.partOf(sum), 'x');
  for (const sum of [stale, open, wanted]) utimesSync(shelf.partOf(sum), 0, (Date.now() - 8 * DAY) / 1000);
  await using _part = await shelf.openPart(open);
  using hold = shelf.hold();
  hold.add(wanted);
  assert.deepEqual(garbageOf(shelf, 0).parts, [stale]);
});

test('what a kill left goes after a day, and what is in quarantine after thirty', async () => {
  const shelf = await shelfOf('spoilt');
  const left = join(shelf.whole, '../partial', `adding-${randomUUID()}`);
  writeFileSync(left, 'x');
  shelf.quarantine(sha256('spoilt'));
  const names = (later: number) => garbageOf(shelf, later).leftovers.map(({ path }) => basename(path));
  assert.deepEqual(names(DAY / 2), []);
  assert.deepEqual(names(2 * DAY), [basename(left)]);
  assert.deepEqual(names(31 * DAY), [basename(left), sha256('spoilt')]);
});
