import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import type { ImageRow } from '../../src/images/image-row.ts';
import { ImportLedger } from '../../src/images/import-ledger.ts';
import { openImageStore } from '../../src/images/open-image-store.ts';
import { imageKey } from '../../src/images/streams/select-versions.ts';
import { imageRow } from './image-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-ledger-'));
after(() => rmSync(root, { recursive: true }));
const KEY = imageKey(imageRow());

/** A ledger of an index on disk, with how often it is read, and another program that has it open. */
function ledger() {
  const file = join(mkdtempSync(join(root, 'state-')), 'images.db');
  const { store } = openImageStore(file, 0);
  const other = openImageStore(file, 0).store;
  let reads = 0;
  const counted = {
    load: () => (reads++, store.load()),
    write: (changes: Parameters<typeof store.write>[0]) => store.write(changes),
    revision: () => store.revision(),
  };
  return { store, other, book: new ImportLedger(counted), reads: () => reads };
}

const versions = (rows: readonly ImageRow[]) => rows.map(({ version }) => version).toSorted();

test('what it writes it knows without reading, and so does the disk', () => {
  const { store, book, reads } = ledger();
  assert.deepEqual(book.of(KEY), []);
  book.set([imageRow({ version: '1' }), imageRow({ version: '2' })]);
  book.set([imageRow({ version: '1', retiredAt: 7 }), imageRow({ version: '3' })]);
  assert.deepEqual(versions(book.of(KEY)), ['2', '3']);
  assert.deepEqual(versions(book.from('mirror')), ['2', '3']);
  assert.deepEqual(versions(store.load().images), ['1', '2', '3']);
  assert.equal(reads(), 1);
});

test('what others write meanwhile it knows as well, by this connection or another', () => {
  const { store, other, book } = ledger();
  book.set([imageRow({ version: '1' })]);
  other.write({ set: [imageRow({ version: '2', source: 'by hand' })] });
  assert.deepEqual(versions(book.of(KEY)), ['1', '2']);
  store.write({ set: [imageRow({ version: '1', retiredAt: 7 })] });
  assert.deepEqual(versions(book.of(KEY)), ['2']);
  other.write({ gone: [imageRow({ version: '2' })] });
  book.set([imageRow({ version: '3' })]);
  assert.deepEqual(versions(book.of(KEY)), ['3']);
});

test('what was not written is not in it', () => {
  const { book } = ledger();
  const bad = { ...imageRow({ version: '2' }), title: undefined, os: undefined } as unknown as ImageRow;
  assert.throws(() => book.set([imageRow({ version: '1' }), bad]));
  assert.deepEqual(book.of(KEY), []);
});
