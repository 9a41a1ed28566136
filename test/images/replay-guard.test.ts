import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { FileShelf } from '../../src/images/file-shelf.ts';
import { isPublished } from '../../src/images/image-row.ts';
import type { ImportSource } from '../../src/images/import-desk.ts';
import { importImages, type ImportReport } from '../../src/images/import-images.ts';
import { imageIndex, openImageStore } from '../../src/images/open-image-store.ts';
import { Pace } from '../../src/images/pace.ts';
import { ProgressTracker } from '../../src/images/progress.ts';
import { TransferError } from '../../src/images/transfer-error.ts';
import type { Selection } from '../../src/images/streams/select-versions.ts';
import { clearSignAt, indexFile, product, productsFile, signingKey } from './streams/stream-fixture.ts';
import { retryAtOnce } from './test-mirror.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 6, 20, 12);
const INDEX = 'streams/v1/index.sjson';
const PRODUCTS = 'streams/v1/images.sjson';
const ALL: Selection = { os: '*', release: '*', arches: ['*'], subarches: ['*'], labels: ['*'] };
const NOBLE = 'ubuntu/noble/amd64/ga-24.04/generic/stable';

const root = mkdtempSync(join(tmpdir(), 'rackboot-replay-'));
after(() => rmSync(root, { recursive: true }));
const key = await signingKey('mirror', NOW - 1_000 * DAY);
const keyring = { file: 'mirror.gpg', bytes: key.binary };

/** What a mirror shows: by path, a file. */
type Shown = ReadonlyMap<string, Buffer>;

/** A stream as it was signed at one time, `days` from now: of each release one version. */
async function streamOf(days: number, releases: Readonly<Record<string, string>>): Promise<Shown> {
  const updated = new Date(NOW + days * DAY).toUTCString();
  const dated = (text: string): Promise<Buffer> => signed(JSON.stringify({ ...(JSON.parse(text) as object), updated }));
  const files = new Map<string, Buffer>();
  const products = Object.entries(releases).map(([release, version]) => {
    const content = { 'boot-kernel': `${release} ${version}` };
    files.set(`${release}/amd64/${version}/ga-24.04/boot-kernel`, Buffer.from(content['boot-kernel']));
    return [release, product({ release }, { [version]: content })] as const;
  });
  files.set(PRODUCTS, await dated(productsFile(Object.fromEntries(products))));
  files.set(INDEX, await dated(indexFile([PRODUCTS])));
  return files;
}

function sourceOf(shown: () => Shown, changed: Partial<ImportSource> & { place?: string } = {}): ImportSource {
  const { place = 'http://mirror/', ...rest } = changed;
  const origin = {
    locate: (path: string) => place + path,
    open: (path: string) => {
      const content = shown().get(path);
      if (!content) return Promise.reject(new TransferError(`${path}: answers 404`, false));
      return Promise.resolve({ first: 0, chunks: once(content) });
    },
  };
  return { name: 'a', selections: [ALL], keep: 1, open: () => Promise.resolve({ origin, keyring }), ...rest };
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

function reasonsOf({ troubles }: ImportReport): string[] {
  return troubles.map(({ reason }) => reason);
}

async function signed(text: string): Promise<Buffer> {
  return Buffer.from(await clearSignAt(NOW, text, key));
}

function rack() {
  const state = mkdtempSync(join(root, 'state-'));
  const shelf = new FileShelf(state);
  shelf.prepare();
  const { store } = openImageStore(imageIndex(state), NOW);
  const clock = { now: () => NOW, monotonic: () => 0 };
  const ask = (sources: readonly ImportSource[], isDryRun: boolean): Promise<ImportReport> =>
    importImages(sources, undefined, isDryRun, {
      store,
      shelf,
      clock,
      sleep: retryAtOnce,
      signal: new AbortController().signal,
      parallel: 1,
      pace: new Pace(clock, undefined),
      progress: new ProgressTracker(clock, () => undefined),
      onPublished: () => undefined,
      onRetired: () => undefined,
      isUsed: () => false,
      onTrouble: () => undefined,
    });
  return {
    store,
    import: async (...sources: readonly ImportSource[]) => reasonsOf(await ask(sources, false)),
    tryOut: async (...sources: readonly ImportSource[]) => reasonsOf(await ask(sources, true)),
    published: () =>
      store
        .load()
        .images.filter(isPublished)
        .map(({ release, version, source }) => `${release} ${version} of ${source}`)
        .toSorted(),
    retireAll: () => store.write({ set: store.load().images.map((row) => ({ ...row, retiredAt: NOW })) }),
    collect: () => store.write({ gone: store.load().images }),
  };
}

const old = await streamOf(-20, { noble: '1' });
const current = await streamOf(-10, { noble: '2' });
const BACK = `${NOBLE}: went back from version 2 to 1; `;
const FORGET = '; where that is meant, "rackboot images remove ubuntu/noble/amd64/ga-24.04" forgets what was here';
const OLDER =
  /^http:\/\/mirror\/streams\/v1\/index\.sjson: of 2026-06-30T12:00:00Z, and one of 2026-07-10T12:00:00Z was read before: .*; what is here from it stays$/;

test('an index that is older than the one that was read before is refused, whatever it would bring', async () => {
  const here = rack();
  assert.deepEqual(await here.import(sourceOf(() => current)), []);
  const replayed = await streamOf(-20, { noble: '1', jammy: '1' });
  const [reason, ...more] = await here.import(sourceOf(() => replayed));
  assert.match(reason ?? '', OLDER);
  assert.deepEqual([more, here.published()], [[], ['noble 2 of a']]);
});

test('a source that is called otherwise is the same one still', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  const [reason] = await here.import(sourceOf(() => old, { name: 'b' }));
  assert.match(reason ?? '', OLDER);
  assert.deepEqual(here.published(), ['noble 2 of a']);
});

for (const [what, go] of [
  ['is told of no more', (here: ReturnType<typeof rack>) => here.retireAll()],
  ['is gone', (here: ReturnType<typeof rack>) => here.collect()],
] as const) {
  test(`an image that ${what} does not come back older`, async () => {
    const here = rack();
    await here.import(sourceOf(() => current));
    go(here);
    // Signed anew, as by a mirror that was set back
    const back = await streamOf(-5, { noble: '1' });
    assert.deepEqual(await here.import(sourceOf(() => back)), [`${BACK}nothing of it is here${FORGET}`]);
    assert.deepEqual(here.published(), []);
  });
}

test('products of one time beside an index of another are refused by their own time', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  const mixed = new Map([...old, ...[...current].filter(([path]) => path === INDEX)]);
  const [reason] = await here.import(sourceOf(() => mixed));
  assert.match(reason ?? '', /^http:\/\/mirror\/streams\/v1\/images\.sjson: of 2026-06-30T12:00:00Z, and one of /);
});

test('a mirror that was set back and has something newer since is believed again', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  const back = await streamOf(-20, { noble: '3', jammy: '1' });
  assert.deepEqual(await here.import(sourceOf(() => back)), []);
  assert.deepEqual(here.published(), ['jammy 1 of a', 'noble 3 of a']);
  assert.deepEqual(await here.import(sourceOf(() => back)), []);
});

test('a mirror whose clock was years ahead is not held to that', async () => {
  const here = rack();
  const ahead = await streamOf(3_000, { noble: '2' });
  await here.import(sourceOf(() => ahead));
  assert.deepEqual(await here.import(sourceOf(() => current)), []);
});

test('another place is another stream, and may be behind', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  assert.deepEqual(await here.import(sourceOf(() => old, { name: 'other', place: 'http://other/' })), []);
  assert.deepEqual(here.published(), ['noble 1 of other']);
});

test('what the first source has only older, a second one may give', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  here.collect();
  const back = await streamOf(-5, { noble: '1' });
  const second = await streamOf(-5, { noble: '2' });
  await here.import(
    sourceOf(() => back),
    sourceOf(() => second, { name: 'b', place: 'http://b/' }),
  );
  assert.deepEqual(here.published(), ['noble 2 of b']);
});

test('what was here before there were marks is held to by the name of its source', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  here.store.write({ forgotten: here.store.marks().newest });
  assert.deepEqual(here.store.marks(), { newest: [], stamps: [] });
  const back = await streamOf(-5, { noble: '1' });
  assert.deepEqual(await here.import(sourceOf(() => back)), [`${BACK}2 stays${FORGET}`]);
});

test('what is forgotten may come back older, also by an older index', async () => {
  const here = rack();
  await here.import(sourceOf(() => current));
  here.retireAll();
  here.store.write({ forgotten: here.store.marks().newest });
  assert.deepEqual(await here.import(sourceOf(() => old)), []);
  assert.deepEqual(here.published(), ['noble 1 of a']);
});

test('a dry run says the same, and remembers nothing', async () => {
  const here = rack();
  await here.tryOut(sourceOf(() => current));
  assert.deepEqual(here.store.marks(), { newest: [], stamps: [] });
  await here.import(sourceOf(() => current));
  const before = here.store.marks();
  assert.match((await here.tryOut(sourceOf(() => old)))[0] ?? '', OLDER);
  assert.deepEqual(here.store.marks(), before);
});

test('of a source where all is wrong the first reasons are told, and how many more there are', async () => {
  const here = rack();
  const bad = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`p${i}`, 7]));
  const wrong = new Map([
    [INDEX, await signed(indexFile([PRODUCTS]))],
    [PRODUCTS, await signed(productsFile(bad as unknown as Record<string, object>))],
  ]);
  const reasons = await here.import(
    sourceOf(() => wrong, { name: 'wrong', place: 'http://wrong/' }),
    sourceOf(() => current),
  );
  assert.deepEqual(reasons.length, 21);
  assert.equal(reasons[0], 'p0: expected a mapping, found 7');
  // 200,000 products, and the selection that nothing answers to
  assert.equal(reasons[20], 'and 199981 more');
  assert.deepEqual(here.published(), ['noble 2 of a']);
  const told = here.store.load().sources.find(({ name }) => name === 'wrong');
  assert.deepEqual(told?.troubles, reasons);
});
