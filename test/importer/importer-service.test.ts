import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

const DAY = 86_400_000;
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
  let ahead = 0;
  const service = createImporterService({
    loop: {
      watch: () => ({ close: () => undefined }),
      after: (milliseconds, fire) => {
        const timer = { milliseconds, fire, isCancelled: false };
        timers.push(timer);
        return { cancel: () => (timer.isCancelled = true) };
      },
    },
    clock: { now: () => Date.now() + ahead, monotonic: () => 1_000 + ahead },
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
    /** The wall clock goes on by so many milliseconds. */
    later: (milliseconds: number) => (ahead += milliseconds),
    /** The timers of so many milliseconds that wait. */
    due: (milliseconds: number) => timers.filter((timer) => timer.milliseconds === milliseconds && !timer.isCancelled),
    /** How many timers of so many milliseconds there were. */
    begun: (milliseconds: number) => timers.filter((timer) => timer.milliseconds === milliseconds).length,
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
  await Promise.resolve();
  assert.deepEqual([changes(), due(200), due(2_000)], [1, [], []]);
  service.close();
});

test('while an import runs, what it published is gathered for two seconds, and told at once in the end', async () => {
  const { service, due, begun, planOf, manage, changes } = serviceOf();
  const [first, second] = [
    mirror({ '1': KERNEL }),
    mirror({ '2': { 'boot-kernel': 'another' } }, { release: 'jammy' }),
  ];
  service.apply(planOf({ sources: [source(first, 'a'), source(second, 'b')], parallel: 1 }), []);
  await manage(importNow);
  await Promise.resolve();
  assert.deepEqual([changes(), begun(2_000), due(2_000), begun(200)], [1, 1, [], 0]);
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

test('a stop answers also when what is read hangs, and the next import waits until it was let go of', async () => {
  const { service, due, planOf, manage } = serviceOf();
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  service.apply(planOf({ sources: [{ ...source('/', 'silent'), url }] }), []);
  const first = manage(importNow);
  await once(silent, 'connection');
  const stop = manage({ kind: 'stop' });
  due(3_000)[0]?.fire();
  assert.match((await stop).lines[0] ?? '', /^the import is told to stop, but something it reads or writes hangs/);
  assert.deepEqual((await manage(importNow)).lines, ['the import that was stopped has not let go of its files yet']);
  assert.deepEqual(await first, { isDone: false, lines: ['the import was stopped'] });
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  assert.equal((await manage(importNow)).isDone, true);
  service.close();
  silent.close();
});

test('after a stop the next import is an interval away, also when this one took longer or the one before failed', async () => {
  const { service, planOf, manage, due, state, later } = serviceOf();
  mkdirSync(imageIndex(state));
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))], intervalSeconds: 600 }), []);
  await manage(importNow);
  rmSync(imageIndex(state), { recursive: true });
  const running = manage(importNow);
  later(DAY);
  await manage({ kind: 'stop' });
  await running;
  await Promise.resolve();
  assert.deepEqual([due(600_000).length, due(10_000), due(0)], [1, [], []]);
  service.close();
});

test('an import that is stopped while it reads what a source has was stopped, and is no trouble of the source', async () => {
  const { service, planOf, manage, told } = serviceOf();
  const half = createServer((_request, response) => void response.writeHead(200).write('{')).listen(0, '127.0.0.1');
  await once(half, 'listening');
  const url = `http://127.0.0.1:${(half.address() as AddressInfo).port}/`;
  service.apply(planOf({ sources: [{ ...source('/', 'half'), url }] }), []);
  const first = manage(importNow);
  await once(half, 'request');
  await manage({ kind: 'stop' });
  assert.deepEqual(await first, { isDone: false, lines: ['the import was stopped'] });
  assert.deepEqual(
    told.filter((line) => line.startsWith('images of')),
    [],
  );
  service.close();
  half.closeAllConnections();
  half.close();
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
    answer.lines.some((line) =>
      /^\/nowhere\/bootresources\.yaml: .*: no such file; what is here from it stays$/.test(line),
    ),
  );
  assert.deepEqual(published(), ['1']);
  service.close();
});

test('a keyring that is not there is the trouble of its source', async () => {
  const { service, planOf, manage } = serviceOf();
  service.apply(planOf({ sources: [{ ...source(mirror({ '1': KERNEL })), keyring: '/nowhere/mirror.gpg' }] }), []);
  assert.equal(
    (await manage(importNow)).lines[0],
    'stick: the keyring /nowhere/mirror.gpg: no such file; what is here from it stays',
  );
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

test('what machines have their loaders from is not removed, and stays when it is not selected any more', async () => {
  const { service, planOf, manage, published, state } = serviceOf();
  const sources = [source(mirror({ '1': KERNEL }))];
  const uefi = { path: 'shimx64.efi', file: join(imageShelf(state), sha256('kernel')) };
  service.apply(planOf({ sources }, { loaders: { uefi } }), []);
  await manage(importNow);
  assert.deepEqual(await manage({ kind: 'remove', image: 'ubuntu/noble' }), {
    isDone: false,
    lines: ['ubuntu/noble is where machines have their loaders from: "rackboot loaders install" others first'],
  });
  const elsewhere = sources.map((each) => ({ ...each, selections: [{ ...EVERYTHING, release: 'jammy' }] }));
  service.apply(planOf({ sources: elsewhere }, { loaders: { uefi } }), []);
  const answer = await manage(importNow);
  assert.ok(
    answer.lines.some((line) =>
      line.endsWith('is not selected any more, but a boot entry or a loader is made of it; 1 stays'),
    ),
    answer.lines.join('\n'),
  );
  assert.deepEqual(published(), ['1']);
  service.close();
});

for (const [name, lose] of [
  ['gone', (file: string) => rmSync(file)],
  ['empty', (file: string) => writeFileSync(file, '')],
] as const) {
  test(`an index that is ${name} takes no file with it, before every source was imported whole`, async () => {
    const state = mkdtempSync(join(root, 'state-'));
    const directory = mirror({ '1': KERNEL });
    const sources = [source(directory)];
    const before = serviceOf(state);
    before.service.apply(before.planOf({ sources }), []);
    await before.manage(importNow);
    before.service.close();
    const stray = join(imageShelf(state), sha256('by hand'));
    writeFileSync(stray, 'by hand');
    lose(imageIndex(state));
    const away = `${directory}-away`;
    renameSync(directory, away);
    const { service, planOf, manage, told, published, later } = serviceOf(state);
    service.apply(planOf({ sources }), []);
    later(90 * DAY);
    assert.equal((await manage(importNow)).isDone, false);
    assert.match(
      (await manage({ kind: 'gc' })).lines.at(-1) ?? '',
      /begun anew at .*: whole files stay until every source/,
    );
    assert.equal(readdirSync(imageShelf(state)).length, 3);
    assert.ok(told.some((line) => line.startsWith('the index of images is')));
    assert.ok(
      told.some((line) => line.startsWith('no file of an image is removed, as the index of images was begun anew')),
    );
    renameSync(away, directory);
    assert.equal((await manage(importNow)).isDone, true);
    assert.deepEqual(published(), ['1']);
    assert.equal(readdirSync(imageShelf(state)).length, 2);
    assert.equal(readFileSync(join(state, 'images/quarantine', sha256('by hand')), 'utf8'), 'by hand');
    assert.ok(told.some((line) => line.startsWith('every source was imported whole since')));
    assert.equal(readImageIndex(imageIndex(state))?.gap, undefined);
    service.close();
  });
}

test('a rack without a source removes nothing after its index was lost', async () => {
  const state = mkdtempSync(join(root, 'state-'));
  mkdirSync(imageShelf(state), { recursive: true });
  writeFileSync(join(imageShelf(state), sha256('by hand')), 'by hand');
  const { service, planOf, manage, later } = serviceOf(state);
  service.apply(planOf({}), []);
  later(90 * DAY);
  assert.match(
    (await manage({ kind: 'gc' })).lines.at(-1) ?? '',
    /whole files stay, as there is no source that could tell/,
  );
  assert.equal(readdirSync(imageShelf(state)).length, 1);
  service.close();
});

test('an index that is taken away under a running rack is missed at the next need', async () => {
  const { service, planOf, manage, state, told, published } = serviceOf();
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))] }), []);
  await manage(importNow);
  rmSync(imageIndex(state));
  assert.equal((await manage(importNow)).isDone, true);
  assert.ok(told.includes('the index of images is gone (no such file): begun anew beside the files of images'));
  assert.deepEqual(published(), ['1']);
  service.close();
});

test('an index that can not be had is tried again, further apart each time, whatever the interval', async () => {
  const { service, planOf, manage, state, due, published } = serviceOf();
  mkdirSync(imageIndex(state));
  service.apply(planOf({ sources: [source(mirror({ '1': KERNEL }))], intervalSeconds: 86_400 }), []);
  for (const wait of [10_000, 20_000, 40_000]) {
    assert.match((await manage(importNow)).lines[0] ?? '', /^the import failed: /);
    await Promise.resolve();
    assert.equal(due(wait).length, 1, `${wait} ms`);
  }
  rmSync(imageIndex(state), { recursive: true });
  assert.equal((await manage(importNow)).isDone, true);
  assert.deepEqual(published(), ['1']);
  await Promise.resolve();
  assert.deepEqual(due(80_000), []);
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
