import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, test } from 'node:test';

import { isPublished } from '../../src/images/image-row.ts';
import { imageIndex, readImageIndex } from '../../src/images/open-image-store.ts';
import { createImporterService } from '../../src/importer/importer-service.ts';
import type { ImageSettings, Plan } from '../../src/plan/plan.ts';
import { imageShelf } from '../../src/plan/stored-image.ts';
import { describeEvent } from '../../src/timeline/describe-event.ts';
import { testPlan } from '../boot/boot-plan-fixture.ts';
import { imageRow } from '../images/image-fixture.ts';
import { openImageStore } from '../../src/images/open-image-store.ts';
import { indexFile, product, productsFile, sha256 } from '../images/streams/stream-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-importer-'));
after(() => rmSync(root, { recursive: true }));

const KERNEL = { 'boot-kernel': 'kernel', 'boot-initrd': 'initrd' };
const EVERYTHING = { os: '*', release: '*', arches: ['*'], subarches: ['*'], labels: ['*'] };

/** An unsigned mirror in a directory. */
function mirror(versions: Readonly<Record<string, Readonly<Record<string, string>>>>, words = {}): string {
  const directory = mkdtempSync(join(root, 'mirror-'));
  const one = product(words, versions) as { versions: Record<string, { items: Record<string, { path: string }> }> };
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const [name, { items }] of Object.entries(one.versions)) {
    for (const [item, { path }] of Object.entries(items)) put(path, versions[name]?.[item] ?? '');
  }
  put('streams/v1/index.json', indexFile(['streams/v1/images.json']));
  put('streams/v1/images.json', productsFile({ one }));
  return directory;
}

function source(directory: string, name = 'stick'): ImageSettings['sources'][number] {
  return { name, url: pathToFileURL(directory).href, keep: 1, selections: [EVERYTHING] };
}

function serviceOf(state = mkdtempSync(join(root, 'state-'))) {
  const told: string[] = [];
  const timers: { readonly milliseconds: number; readonly fire: () => void; isCancelled: boolean }[] = [];
  let changes = 0;
  const service = createImporterService({
    loop: {
      watch: () => ({ close: () => undefined }),
      after: (milliseconds, fire) => {
        const timer = { milliseconds, fire, isCancelled: false };
        timers.push(timer);
        return { cancel: () => (timer.isCancelled = true) };
      },
    },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    events: { emit: (body) => told.push(describeEvent(body)) },
    images: { changed: () => changes++, progress: () => undefined },
  });
  const planOf = (images: Partial<ImageSettings>, boot: Partial<Plan['boot']> = {}): Plan => {
    const plan = testPlan(boot);
    return {
      ...plan,
      rack: { ...plan.rack, state },
      images: { shelf: imageShelf(state), sources: [], parallel: 2, ...images },
    };
  };
  return {
    service,
    state,
    told,
    planOf,
    changes: () => changes,
    /** The timers of so many milliseconds that wait. */
    due: (milliseconds: number) => timers.filter((timer) => timer.milliseconds === milliseconds && !timer.isCancelled),
    published: () =>
      (readImageIndex(imageIndex(state))?.images ?? []).filter(isPublished).map(({ version }) => version),
    manage: (order: Parameters<NonNullable<typeof service.manage>>[0]) =>
      service.manage?.(order) ?? Promise.reject(new Error('no')),
  };
}

const importNow = { kind: 'import', isDryRun: false } as const;

test('a start with sources imports at once, and tells once of what came', async () => {
  const { service, due, planOf, published, told, changes } = serviceOf();
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))], intervalSeconds: 3600 }), []);
  due(0)[0]?.fire();
  await until(() => told.some((line) => line.startsWith('import of images is done')));
  assert.deepEqual(published(), ['1']);
  assert.equal(told[0], 'import of images from 1 source begins');
  assert.match(told[1] ?? '', /^image ubuntu\/noble\/amd64\/ga-24\.04\/generic\/stable 1 is here, 12 bytes/);
  due(200)[0]?.fire();
  assert.equal(changes(), 1);
  service.close();
});

test('without sources nothing is imported by itself', () => {
  const { service, due, planOf } = serviceOf();
  service.apply(planOf({ intervalSeconds: 3600 }), []);
  assert.deepEqual(due(0), []);
  service.close();
});

test('after an import the next one is an interval away; a change of the sources is taken up at once', async () => {
  const { service, due, planOf, manage } = serviceOf();
  const sources = [source(mirror({ '1': KERNEL }))];
  service.apply(planOf({ sources, intervalSeconds: 600 }), []);
  await manage(importNow);
  await Promise.resolve();
  service.apply(planOf({ sources, intervalSeconds: 600 }), []);
  assert.equal(due(0).length, 0);
  service.apply(planOf({ sources: [...sources, source(mirror({}), 'other')], intervalSeconds: 600 }), []);
  assert.equal(due(0).length, 1);
  service.close();
});

test('one import runs at a time, and a stop ends it', async () => {
  const { service, planOf, manage } = serviceOf();
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  assert.deepEqual(await manage({ kind: 'stop' }), { isDone: false, lines: ['no import runs'] });
  const first = manage(importNow);
  assert.deepEqual(await manage(importNow), {
    isDone: false,
    lines: ['an import runs already: "rackboot images stop" ends it'],
  });
  assert.equal((await manage({ kind: 'stop' })).isDone, true);
  assert.deepEqual(await first, { isDone: false, lines: ['the import was stopped'] });
  assert.equal((await manage(importNow)).isDone, true);
  service.close();
});

test('one source is imported by its name or number, and a name that is none is told', async () => {
  const { service, planOf, manage, published } = serviceOf();
  const sources = [source(mirror({ '1': KERNEL }), 'a'), source(mirror({ '2': KERNEL }, { release: 'jammy' }), 'b')];
  service.apply(planOf({ sources }), []);
  await manage({ ...importNow, only: 'b' });
  assert.deepEqual(published(), ['2']);
  await manage({ ...importNow, only: '1' });
  assert.deepEqual(published().toSorted(), ['1', '2']);
  assert.deepEqual(await manage({ ...importNow, only: 'c' }), {
    isDone: false,
    lines: ['no source is called c: expected one of 1 a, 2 b'],
  });
  service.close();
});

test("sources of MAAS's own file come after those of ours", async () => {
  const { service, planOf, manage, published, state } = serviceOf();
  const file = join(state, 'bootresources.yaml');
  const url = `${pathToFileURL(mirror({ '7': KERNEL })).href}/streams/v1/index.json`;
  writeFileSync(
    file,
    `boot:\n  sources:\n    - path: "${url}"\n      selections: [{ release: noble, arches: [amd64] }]\n`,
  );
  service.apply(planOf({ bootResources: file }), []);
  assert.equal((await manage(importNow)).isDone, true);
  assert.deepEqual(published(), ['7']);
  service.close();
});

test("a file of MAAS's that can't be read is told of, and the other sources are imported", async () => {
  const { service, planOf, manage, published } = serviceOf();
  service.apply(
    planOf({ sources: [source(mirror({ '1': KERNEL }))], bootResources: '/nowhere/bootresources.yaml' }),
    [],
  );
  const answer = await manage(importNow);
  assert.equal(answer.isDone, false);
  assert.ok(
    answer.lines.some((line) => /^\/nowhere\/bootresources\.yaml: ENOENT.*; what is here from it stays$/.test(line)),
  );
  assert.deepEqual(published(), ['1']);
  service.close();
});

test('a file that rots is put aside, told of, and fetched again', async () => {
  const { service, planOf, manage, state, told, published } = serviceOf();
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  await manage(importNow);
  assert.deepEqual(await manage({ kind: 'verify' }), { isDone: true, lines: ['1 versions are as they were'] });
  const file = join(imageShelf(state), sha256('kernel'));
  writeFileSync(file, 'kerneL');
  const answer = await manage({ kind: 'verify' });
  assert.equal(answer.isDone, false);
  assert.match(
    answer.lines[0] ?? '',
    /stable 1: boot-kernel [0-9a-f]{64} is spoilt, set aside as .*; it is fetched again$/,
  );
  await until(() => told.filter((line) => line.startsWith('import of images is done')).length === 2);
  assert.deepEqual(readdirSync(join(state, 'images', 'quarantine')), [sha256('kernel')]);
  assert.deepEqual([published(), (await manage({ kind: 'verify' })).isDone], [['1'], true]);
  service.close();
});

test('what a boot entry boots is not removed; what none does is, and its files go later', async () => {
  const { service, planOf, manage, published, state } = serviceOf();
  const sources = [source(mirror({ '1': KERNEL }))];
  const kernel = { path: 'images/x/boot-kernel', file: join(imageShelf(state), sha256('kernel')) };
  const entries = [{ name: 'noble', kernel, initrd: [], cmdline: '' }];
  service.apply(planOf({ sources }, { entries }), []);
  await manage(importNow);
  const refused = await manage({ kind: 'remove', image: 'ubuntu/noble' });
  assert.deepEqual(refused, {
    isDone: false,
    lines: ['ubuntu/noble is what the boot entries noble boot: change them first'],
  });
  service.apply(planOf({ sources }), []);
  assert.equal((await manage({ kind: 'remove', image: 'ubuntu/noble/amd64' })).isDone, true);
  assert.deepEqual(published(), []);
  assert.deepEqual((await manage({ kind: 'gc' })).lines, [
    '0 files removed, 0 bytes',
    '1 versions are kept for a while, for machines that were told of them',
  ]);
  assert.equal(readdirSync(imageShelf(state)).length, 2);
  assert.equal((await manage({ kind: 'remove', image: 'ubuntu/none' })).isDone, false);
  service.close();
});

test('a removal forgets what was here, so that an older version may come; also of what is gone already', async () => {
  const { service, planOf, manage, published } = serviceOf();
  const [newer, older] = [mirror({ '2': KERNEL }), mirror({ '1': KERNEL })];
  service.apply(planOf({ sources: [source(newer)] }), []);
  await manage(importNow);
  rmSync(newer, { recursive: true });
  cpSync(older, newer, { recursive: true });
  const refused = await manage(importNow);
  assert.match(
    refused.lines[0] ?? '',
    /went back from version 2 to 1; 2 stays; .*"rackboot images remove ubuntu\/noble/,
  );
  service.apply(planOf({ sources: [] }), []);
  await manage({ kind: 'remove', image: 'ubuntu/noble' });
  service.apply(planOf({ sources: [source(newer)] }), []);
  assert.equal((await manage(importNow)).isDone, true);
  assert.deepEqual(published(), ['1']);
  service.apply(planOf({ sources: [{ ...source(newer), selections: [{ ...EVERYTHING, release: 'jammy' }] }] }), []);
  await manage(importNow);
  assert.deepEqual(published(), []);
  assert.deepEqual((await manage({ kind: 'remove', image: 'ubuntu/noble' })).lines, [
    'ubuntu/noble/amd64/ga-24.04/generic/stable: that 1 was here once is forgotten',
  ]);
  assert.equal((await manage({ kind: 'remove', image: 'ubuntu/noble' })).isDone, false);
  service.close();
});

test('a damaged index is told of, and images go on', async () => {
  const state = mkdtempSync(join(root, 'state-'));
  const { store } = openImageStore(imageIndex(state), 0);
  store.write({ set: [imageRow()] });
  store.close();
  writeFileSync(imageIndex(state), 'damaged'.repeat(1000));
  const { service, planOf, manage, told, published } = serviceOf(state);
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  assert.equal((await manage(importNow)).isDone, true);
  assert.ok(
    told.some((line) => line.startsWith('the index of images is damaged')),
    told.join('\n'),
  );
  assert.deepEqual(published(), ['1']);
  service.close();
});

test('a state that can be had only later is imported into then', async () => {
  const state = join(mkdtempSync(join(root, 'state-')), 'later');
  writeFileSync(state, 'in the way');
  const { service, planOf, manage, published } = serviceOf(state);
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  assert.match((await manage(importNow)).lines[0] ?? '', /^the import failed: /);
  rmSync(state);
  cpSync(mkdtempSync(join(root, 'empty-')), state, { recursive: true });
  assert.equal((await manage(importNow)).isDone, true);
  assert.deepEqual(published(), ['1']);
  service.close();
});

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo());
}
