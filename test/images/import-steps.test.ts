import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { FileShelf } from '../../src/images/file-shelf.ts';
import { SqliteImageStore } from '../../src/images/image-store.ts';
import { importImages } from '../../src/images/import-images.ts';
import type { LedgerStore } from '../../src/images/import-ledger.ts';
import type { Origin } from '../../src/images/origin.ts';
import { Pace } from '../../src/images/pace.ts';
import { ProgressTracker } from '../../src/images/progress.ts';
import type { MarkStore } from '../../src/images/replay-guard.ts';
import { indexFile, productsFile } from './streams/stream-fixture.ts';
import { retryAtOnce } from './test-mirror.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-steps-'));
after(() => rmSync(root, { recursive: true }));
const FEW = 50;
const TIMES = 20;

test('an import of many versions reads the index once, and looks at each file a few times', async () => {
  const few = await importOf(FEW);
  const many = await importOf(FEW * TIMES);
  assert.deepEqual([few.loads, many.loads], [2, 2]);
  assert.ok(many.looks <= TIMES * few.looks, `${few.looks} and ${many.looks} looks`);
});

/** An import of so many images, all of one file that is here already: how often the index was read, and the shelf looked at. */
async function importOf(count: number): Promise<{ loads: number; looks: number }> {
  const shelf = new CountingShelf(mkdtempSync(join(root, 'state-')));
  shelf.prepare();
  const content = await shelf.put(Buffer.from('kernel'));
  const item = { ftype: 'boot-kernel', path: 'kernel', ...content };
  const products = Array.from({ length: count }, (_, i) => [
    `r${i}`,
    { os: 'x', release: `r${i}`, arch: 'amd64', versions: { '1': { items: { 'boot-kernel': item } } } },
  ]);
  const store = new CountingStore(new SqliteImageStore(':memory:'));
  const clock = { now: () => 0, monotonic: () => 0 };
  const origin = originOf(productsFile(Object.fromEntries(products) as Record<string, object>));
  const sources = [{ name: 'a', open: () => Promise.resolve({ origin }), selections: [], keep: 1 }];
  const report = await importImages(sources, undefined, false, {
    store,
    shelf,
    clock,
    sleep: retryAtOnce,
    parallel: 2,
    signal: new AbortController().signal,
    pace: new Pace(clock, undefined),
    progress: new ProgressTracker(clock, () => undefined),
    onPublished: () => undefined,
    onRetired: () => undefined,
    onTrouble: () => undefined,
    isUsed: () => false,
  });
  assert.equal(report.published.length, count);
  return { loads: store.loads, looks: shelf.looks };
}

class CountingShelf extends FileShelf {
  looks = 0;

  override has(content: Parameters<FileShelf['has']>[0]): boolean {
    this.looks++;
    return super.has(content);
  }
}

class CountingStore implements LedgerStore, MarkStore {
  loads = 0;
  readonly #store: LedgerStore & MarkStore;

  constructor(store: LedgerStore & MarkStore) {
    this.#store = store;
  }

  marks(): ReturnType<MarkStore['marks']> {
    return this.#store.marks();
  }

  load(): ReturnType<LedgerStore['load']> {
    this.loads++;
    return this.#store.load();
  }

  write(changes: Parameters<LedgerStore['write']>[0]): void {
    this.#store.write(changes);
  }

  revision(): ReturnType<LedgerStore['revision']> {
    return this.#store.revision();
  }
}

/** A stream in memory. */
function originOf(products: string): Origin {
  const files = new Map([
    ['streams/v1/index.json', indexFile(['streams/v1/images.json'])],
    ['streams/v1/images.json', products],
  ]);
  return {
    locate: (path) => path,
    open: (path) => Promise.resolve({ first: 0, chunks: chunksOf(files.get(path) ?? '') }),
  };
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
