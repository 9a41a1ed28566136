import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after as afterAll, test } from 'node:test';

import { findGarbage } from '../../src/images/collect-garbage.ts';
import { FileShelf } from '../../src/images/file-shelf.ts';
import { HttpOrigin } from '../../src/images/http-origin.ts';
import { isPublished, type ImageRow } from '../../src/images/image-row.ts';
import type { ImportSource } from '../../src/images/import-desk.ts';
import { importImages, type ImportReport } from '../../src/images/import-images.ts';
import { imageIndex, openImageStore } from '../../src/images/open-image-store.ts';
import { Pace } from '../../src/images/pace.ts';
import { ProgressTracker } from '../../src/images/progress.ts';
import type { Selection } from '../../src/images/streams/select-versions.ts';
import { imageRow } from './image-fixture.ts';
import { clearSign, indexFile, product, productsFile, sha256, signingKey } from './streams/stream-fixture.ts';
import { retryAtOnce, TestMirror } from './test-mirror.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-import-'));
const mirrors: TestMirror[] = [];
afterAll(() => {
  for (const mirror of mirrors) mirror.close();
  rmSync(root, { recursive: true });
});
const key = await signingKey();
const stranger = await signingKey('stranger');
const KEYRING = { file: 'mirror.gpg', bytes: key.binary };
const ALL: Selection = { os: '*', release: '*', arches: ['*'], subarches: ['*'], labels: ['*'] };
const IMAGE = 'ubuntu/noble/amd64/ga-24.04/generic/stable';

type Versions = Readonly<Record<string, Readonly<Record<string, string>>>>;

const version = (of: string) => ({
  'boot-kernel': `kernel ${of}`,
  'boot-initrd': `initrd ${of}`,
  squashfs: `root ${of}`,
});

/** A signed mirror of one product, which can be changed. */
async function mirrorOf(versions: Versions, words = {}, by = key): Promise<TestMirror> {
  const mirror = await TestMirror.start([]);
  mirrors.push(mirror);
  await show(mirror, versions, words, by);
  return mirror;
}

async function show(mirror: TestMirror, versions: Versions, words = {}, by = key): Promise<void> {
  const one = product(words, versions) as { versions: Record<string, { items: Record<string, { path: string }> }> };
  for (const [name, { items }] of Object.entries(one.versions)) {
    for (const [item, { path }] of Object.entries(items)) {
      mirror.files.set(path, Buffer.from(versions[name]?.[item] ?? ''));
    }
  }
  const put = async (path: string, text: string) => mirror.files.set(path, Buffer.from(await clearSign(text, by)));
  await put('streams/v1/images.sjson', productsFile({ one }));
  await put('streams/v1/index.sjson', indexFile(['streams/v1/images.sjson']));
}

function rack(used?: string, onPublished: (row: ImageRow, shelf: FileShelf) => void = () => undefined) {
  const state = mkdtempSync(join(root, 'state-'));
  const shelf = new FileShelf(state);
  shelf.prepare();
  const { store } = openImageStore(imageIndex(state), 0);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const told: string[] = [];
  const rows = () => store.load().images;
  return {
    state,
    shelf,
    store,
    told,
    rows,
    published: () =>
      rows()
        .filter(isPublished)
        .map(({ version: of, source: from }) => `${of} of ${from}`),
    import: (
      sources: readonly ImportSource[],
      {
        only,
        dry = false,
        signal = new AbortController().signal,
        parallel = 3,
      }: { only?: string; dry?: boolean; signal?: AbortSignal; parallel?: number } = {},
    ): Promise<ImportReport> =>
      importImages(sources, only === undefined ? undefined : new Set([only]), dry, {
        store,
        shelf,
        clock,
        sleep: retryAtOnce,
        signal,
        parallel,
        pace: new Pace(clock, undefined),
        progress: new ProgressTracker(clock, () => undefined),
        onPublished: (row, retired) => {
          told.push(`${row.version} instead of ${retired.map((each) => each.version).join()}`);
          onPublished(row, shelf);
        },
        onRetired: (gone) => told.push(`no more ${gone.map((row) => row.release).join()}`),
        isUsed: (row) => row.release === used,
        onTrouble: (from, reason) => told.push(`${from}: ${reason}`),
      }),
  };
}

function source(name: string, mirror: TestMirror, changed: Partial<ImportSource> = {}): ImportSource {
  const open = () =>
    Promise.resolve({
      origin: new HttpOrigin({ base: new URL(mirror.url), silenceMilliseconds: 300 }),
      keyring: KEYRING,
    });
  return { name, open, selections: [ALL], keep: 1, ...changed };
}

const reasons = ({ troubles }: ImportReport) => troubles.map(({ reason }) => reason);

test('what a stream has is fetched, checked and published, and not fetched again', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const { rows, shelf, published, ...here } = rack();
  const report = await here.import([source('a', mirror)]);
  assert.deepEqual(report.troubles, []);
  assert.deepEqual(published(), ['2 of a']);
  for (const file of rows()[0]?.files ?? []) assert.equal(sha256(readFileSync(shelf.pathOf(file.sha256))), file.sha256);
  assert.equal(report.bytes, Buffer.byteLength(Object.values(version('two')).join('')));
  mirror.asked.length = 0;
  const again = await here.import([source('a', mirror)]);
  assert.deepEqual([again.published, again.bytes], [[], 0]);
  assert.deepEqual(
    mirror.asked.map(({ path }) => path),
    ['streams/v1/index.sjson', 'streams/v1/images.sjson'],
  );
});

test('a new version takes the place of the old one when it is whole; the old files stay for who was told of them', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  const { shelf, rows, told, published, ...here } = rack();
  await here.import([source('a', mirror)]);
  await show(mirror, { '2': version('two') });
  await here.import([source('a', mirror)]);
  assert.deepEqual(published(), ['2 of a']);
  assert.deepEqual(told, ['1 instead of ', '2 instead of 1']);
  assert.equal(shelf.list().length, 6);
  const garbage = (after: number, named: readonly string[] = []) =>
    findGarbage({ rows: rows(), shelf, named: new Set(named), now: Date.now() + after, isHeld: false });
  assert.deepEqual([garbage(3_000_000).rows, garbage(3_000_000).files], [[], []]);
  const later = garbage(4_000_000);
  assert.deepEqual(
    later.rows.map((row) => row.version),
    ['1'],
  );
  assert.equal(later.files.length, 3);
  const kernel = shelf.pathOf(sha256('kernel one'));
  assert.deepEqual(garbage(4_000_000, [kernel]).files, []);
});

test('as many versions as are to be kept are', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two'), '3': version('three') });
  const here = rack();
  await here.import([source('a', mirror, { keep: 2 })]);
  assert.deepEqual(here.published().toSorted(), ['2 of a', '3 of a']);
  await show(mirror, { '4': version('four') });
  await here.import([source('a', mirror, { keep: 2 })]);
  assert.deepEqual(here.published().toSorted(), ['3 of a', '4 of a']);
});

test('the first source that has an image gives it, also while it is away', async () => {
  const first = await mirrorOf({ '1': version('of the first') });
  const second = await mirrorOf({ '9': version('of the second') });
  const here = rack();
  const sources = [source('first', first), source('second', second)];
  await here.import(sources);
  assert.deepEqual(here.published(), ['1 of first']);
  first.misbehave(() => ({ status: 404 }));
  const report = await here.import(sources);
  assert.deepEqual(here.published(), ['1 of first']);
  assert.match(reasons(report)[0] ?? '', /index\.sjson: answers 404; what is here from it stays$/);
  await here.import(sources, { only: 'second' });
  assert.deepEqual(here.published(), ['1 of first']);
});

test('a source that comes first now takes over, whatever its version', async () => {
  const first = await mirrorOf({ '1': version('of the first') });
  const second = await mirrorOf({ '9': version('of the second') });
  const here = rack();
  await here.import([source('second', second)]);
  await here.import([source('first', first), source('second', second)]);
  assert.deepEqual(here.published(), ['1 of first']);
});

test('what an operator added goes before every source', async () => {
  const mirror = await mirrorOf({ '2': version('two') });
  const here = rack();
  here.store.write({ set: [imageRow({ source: 'by hand' })] });
  await here.import([source('a', mirror)]);
  assert.deepEqual(here.published(), ['20240101 of by hand']);
});

interface Bad {
  readonly name: string;
  readonly spoil: (mirror: TestMirror) => Promise<void> | void;
  readonly says: RegExp;
}

const path = (item: string) => `noble/amd64/2/ga-24.04/${item}`;
const BAD: readonly Bad[] = [
  {
    name: 'a signature of a stranger',
    spoil: (mirror) => show(mirror, { '2': version('two') }, {}, stranger),
    says: new RegExp(`index\\.sjson: signature refused: key ${stranger.id}: .*\\(mirror\\.gpg has ${key.id}\\)`),
  },
  {
    name: 'an index without a signature',
    spoil: (mirror) => void mirror.files.set('streams/v1/index.sjson', Buffer.from(indexFile([]))),
    says: /index\.sjson: expected a clear-signed text/,
  },
  {
    name: 'products without a signature',
    spoil: async (mirror) => {
      await show(mirror, { '2': version('two') });
      mirror.files.set('streams/v1/images.sjson', Buffer.from(productsFile({})));
    },
    says: /images\.sjson: expected a clear-signed text/,
  },
  {
    name: 'a file with another content',
    spoil: async (mirror) => {
      await show(mirror, { '2': version('two') });
      mirror.files.set(path('squashfs'), Buffer.from('evil two'));
    },
    says: /generic\/stable 2: .*squashfs: expected sha256 .*; 1 stays$/,
  },
  {
    name: 'a file that is longer',
    spoil: async (mirror) => {
      await show(mirror, { '2': version('two') });
      mirror.files.set(path('boot-kernel'), Buffer.from('kernel two and more'));
    },
    says: /boot-kernel: expected 10 bytes, found more; 1 stays$/,
  },
  {
    name: 'a file that is not there',
    spoil: async (mirror) => {
      await show(mirror, { '2': version('two') });
      mirror.files.delete(path('boot-initrd'));
    },
    says: /boot-initrd: answers 404; 1 stays$/,
  },
  {
    name: 'a product that is gone',
    spoil: async (mirror) => show(mirror, { '2': version('two') }, { release: 'jammy' }),
    says: /stable: is no longer in it; 1 stays$/,
  },
  {
    name: 'an index of long ago',
    spoil: async (mirror) => show(mirror, { '0': version('zero') }),
    says: /went back from version 1 to 0; 1 stays; where that is meant, "rackboot images remove ubuntu\/noble\/amd64\/ga-24\.04" forgets/,
  },
  {
    name: 'products that are no JSON',
    spoil: async (mirror) => void mirror.files.set('streams/v1/images.sjson', Buffer.from(await clearSign('{', key))),
    says: /images\.sjson: expected JSON/,
  },
  {
    name: 'an index without end',
    spoil: (mirror) => void mirror.files.set('streams/v1/index.sjson', Buffer.alloc(5 * 2 ** 20, 'x')),
    says: /index\.sjson: expected at most 4194304 bytes, found more/,
  },
];
for (const { name, spoil, says } of BAD) {
  test(`refused and told, and the old image stays whole: ${name}`, async () => {
    const mirror = await mirrorOf({ '1': version('one') });
    const here = rack();
    await here.import([source('a', mirror)]);
    await spoil(mirror);
    const report = await here.import([source('a', mirror)]);
    assert.ok(
      reasons(report).some((reason) => says.test(reason)),
      reasons(report).join('\n'),
    );
    assert.ok(here.published().includes('1 of a'));
    const row = here.rows().find(({ version: of }) => of === '1');
    assert.ok(row?.files.every((file) => here.shelf.has(file)));
    assert.deepEqual(here.store.load().sources[0]?.troubles, reasons(report));
  });
}

for (const [name, used, published, told] of [
  ['goes', undefined, [], 'no more noble'],
  [
    'stays while a boot entry is made of it',
    'noble',
    ['1 of a'],
    `a: ${IMAGE}: is not selected any more, but a boot entry or a loader is made of it; 1 stays`,
  ],
] as const) {
  test(`what is not selected any more ${name}`, async () => {
    const mirror = await mirrorOf({ '1': version('one') });
    const here = rack(used);
    await here.import([source('a', mirror)]);
    await here.import([source('a', mirror, { selections: [{ ...ALL, release: 'jammy' }] })]);
    assert.deepEqual(here.published(), published);
    assert.ok(here.told.includes(told), here.told.join('\n'));
  });
}

test('a dry run tells what would come, and brings nothing', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  const here = rack();
  const report = await here.import([source('a', mirror)], { dry: true });
  assert.deepEqual(
    report.published.map((row) => row.version),
    ['1'],
  );
  assert.equal(report.bytes, 28);
  assert.deepEqual([here.rows(), here.shelf.list(), here.told], [[], [], []]);
});

test('a stop ends it at once; the next import goes on with what came', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  mirror.misbehave((of, nth) => (of.endsWith('squashfs') && nth === 0 ? { silentAfter: 4 } : {}));
  const here = rack();
  const controller = new AbortController();
  const running = here.import([source('a', mirror)], { signal: controller.signal });
  setTimeout(() => controller.abort(), 150);
  await assert.rejects(running, { name: 'AbortError' });
  assert.deepEqual(here.published(), []);
  await here.import([source('a', mirror)]);
  assert.deepEqual(here.published(), ['1 of a']);
  assert.equal(mirror.asked.findLast(({ path: of }) => of.endsWith('squashfs'))?.range, 'bytes=4-');
});

test('a detached signature beside a plain index will do as well', async () => {
  const { detachedSignature } = await import('./streams/stream-fixture.ts');
  const mirror = await mirrorOf({ '1': version('one') });
  const index = Buffer.from(indexFile(['streams/v1/images.sjson']));
  mirror.files.delete('streams/v1/index.sjson');
  mirror.files.set('streams/v1/index.json', index);
  mirror.files.set('streams/v1/index.json.gpg', await detachedSignature(index, key));
  const here = rack();
  const report = await here.import([source('a', mirror)]);
  assert.deepEqual([reasons(report), here.published()], [[], ['1 of a']]);
});

test('a loader is unpacked: its programs are files of it', async () => {
  const directory = mkdtempSync(join(root, 'archive-'));
  mkdirSync(join(directory, 'inner'));
  writeFileSync(join(directory, 'inner', 'grubx64.efi'), 'GRUB');
  writeFileSync(join(directory, 'bootx64.efi'), 'SHIM');
  execFileSync('tar', ['-cJf', 'all.tar.xz', 'inner', 'bootx64.efi'], { cwd: directory });
  const archive = readFileSync(join(directory, 'all.tar.xz'));
  const mirror = await mirrorOf({ '1': version('one') });
  const items = {
    'grub2-signed': { ftype: 'archive.tar.xz', path: 'b/all.tar.xz', sha256: sha256(archive), size: archive.length },
  };
  const loader = {
    os: 'grub-efi-signed',
    arch: 'amd64',
    label: 'stable',
    'bootloader-type': 'uefi',
    versions: { '1': { items } },
  };
  mirror.files.set('b/all.tar.xz', archive);
  mirror.files.set('streams/v1/images.sjson', Buffer.from(await clearSign(productsFile({ loader }), key)));
  const here = rack();
  assert.deepEqual(reasons(await here.import([source('a', mirror)])), []);
  const names = here
    .rows()[0]
    ?.files.map(({ name, ftype, sha256: sum }) => [name, ftype, existsSync(here.shelf.pathOf(sum))]);
  assert.deepEqual(names?.toSorted(), [
    ['bootx64.efi', 'loader', true],
    ['grub2-signed', 'archive.tar.xz', true],
    ['grubx64.efi', 'loader', true],
  ]);
});

test('an archive that is none is refused, and nothing of it is published', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  const items = { grub2: { ftype: 'archive.tar.xz', path: 'b/x', sha256: sha256('no archive'), size: 10 } };
  const loader = { os: 'grub-efi', arch: 'arm64', 'bootloader-type': 'uefi', versions: { '1': { items } } };
  mirror.files.set('b/x', Buffer.from('no archive'));
  mirror.files.set('streams/v1/images.sjson', Buffer.from(await clearSign(productsFile({ loader }), key)));
  const here = rack();
  assert.match(reasons(await here.import([source('a', mirror)])).join(), /grub2: not what xz unpacks: /);
  assert.deepEqual(here.rows(), []);
});

test('of an image of which nothing boots, it is told', async () => {
  const mirror = await mirrorOf({ '1': { manifest: 'm' } });
  const here = rack();
  assert.deepEqual(reasons(await here.import([source('a', mirror)])), [`${IMAGE} 1: has no file that a machine boots`]);
});

test('a fault of ours ends an import when nobody writes any more, and what came of files is gone on with', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': { 'boot-kernel': 'another kernel' } });
  mirror.misbehave((of, nth) => (of.endsWith('squashfs') && nth === 0 ? { silentAfter: 4 } : {}));
  let isFaulty = true;
  const here = rack(undefined, () => {
    if (isFaulty) throw new Error('a fault of ours');
  });
  await assert.rejects(here.import([source('a', mirror, { keep: 2 })]), { message: 'a fault of ours' });
  const root1 = sha256('root one');
  assert.equal(here.shelf.isHeld(root1), false);
  isFaulty = false;
  assert.deepEqual(reasons(await here.import([source('a', mirror, { keep: 2 })])), []);
  assert.deepEqual(here.published().toSorted(), ['1 of a', '2 of a']);
  assert.equal(readFileSync(here.shelf.pathOf(root1), 'utf8'), 'root one');
});

test('what the disk refuses is the trouble of its version, and the others come', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const here = rack();
  // A file can't be renamed to where a directory is
  mkdirSync(here.shelf.pathOf(sha256('kernel two')));
  const report = await here.import([source('a', mirror, { keep: 2 })]);
  assert.match(reasons(report).join('\n'), /^[^\n]*stable 2: EISDIR: [^\n]*$/);
  assert.deepEqual(here.published(), ['1 of a']);
});

test('so is what the index refuses', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const here = rack();
  const full = Object.assign(new Error('database or disk is full'), { errcode: 13 });
  const write = here.store.write.bind(here.store);
  here.store.write = (changes) => {
    if (changes.set?.some((row) => row.version === '2')) throw full;
    write(changes);
  };
  const report = await here.import([source('a', mirror, { keep: 2 })]);
  assert.deepEqual(reasons(report), [
    `${IMAGE} 2: the index of images can't be used: database or disk is full${here.published().length === 1 ? '' : '; 1 stays'}`,
  ]);
  assert.deepEqual(here.published(), ['1 of a']);
});

test('a version that loses a file while others come is told of, and not published', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const here = rack(undefined, (_row, shelf) => shelf.remove(sha256('kernel one')));
  await here.shelf.put(Buffer.from('kernel one'));
  const report = await here.import([source('a', mirror, { keep: 2 })], { parallel: 1 });
  assert.deepEqual(reasons(report), [`${IMAGE} 1: boot-kernel is gone again; 2 stays`]);
  assert.deepEqual(here.published(), ['2 of a']);
});

test('what an operator adds while an import runs keeps its place', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const here = rack(undefined, () => other.write({ set: [imageRow({ source: 'by hand', version: '0' })] }));
  const { store: other } = openImageStore(imageIndex(here.state), 0);
  const report = await here.import([source('a', mirror, { keep: 2 })], { parallel: 1 });
  other.close();
  assert.match(reasons(report).join(), /stable 1: an image that was added by hand has its place; . stays$/);
  assert.deepEqual(here.published().toSorted(), ['0 of by hand', '2 of a']);
});

test('what an import is to publish is no garbage, however long it takes', async () => {
  const mirror = await mirrorOf({ '1': version('one'), '2': version('two') });
  const found: number[] = [];
  const here = rack(undefined, (row, shelf) => {
    const question = { shelf, named: new Set<string>(), now: Date.now() + 86_400_000, isHeld: false };
    if (row.version === '2') found.push(findGarbage({ ...question, rows: [row] }).strays.length);
  });
  await here.shelf.put(Buffer.from('kernel one'));
  await here.shelf.put(Buffer.from('of nobody'));
  await here.import([source('a', mirror, { keep: 2 })], { parallel: 1 });
  assert.deepEqual(found, [1]);
  assert.deepEqual(here.published().toSorted(), ['1 of a', '2 of a']);
});

test('a version that is shown anew with other files leaves those of before to who was told of them', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  const here = rack();
  await here.import([source('a', mirror)]);
  const old = here.shelf.pathOf(sha256('kernel one'));
  utimesSync(old, 0, 0);
  await show(mirror, { '1': version('one, again') });
  await here.import([source('a', mirror)]);
  assert.deepEqual(here.published(), ['1 of a']);
  assert.ok(here.rows()[0]?.files.some(({ sha256: sum }) => sum === sha256('kernel one, again')));
  assert.ok(statSync(old).mtimeMs > 0);
});

test('loaders whose archives share a file come together, each file as its name says', async () => {
  const mirror = await mirrorOf({ '1': version('one') });
  const shared = Buffer.alloc(4_000_000, 'shim').fill('end', 3_999_000);
  const products = ['amd64', 'arm64', 'i386'].map((arch) => {
    const directory = mkdtempSync(join(root, 'archive-'));
    writeFileSync(join(directory, 'shared.efi'), shared);
    writeFileSync(join(directory, `grub-${arch}.efi`), `GRUB for ${arch}`);
    execFileSync('tar', ['-cJf', 'all.tar.xz', 'shared.efi', `grub-${arch}.efi`], { cwd: directory });
    const archive = readFileSync(join(directory, 'all.tar.xz'));
    mirror.files.set(`${arch}/all.tar.xz`, archive);
    const packed = {
      ftype: 'archive.tar.xz',
      path: `${arch}/all.tar.xz`,
      sha256: sha256(archive),
      size: archive.length,
    };
    return [arch, { os: 'grub', arch, 'bootloader-type': 'uefi', versions: { '1': { items: { grub2: packed } } } }];
  });
  const text = productsFile(Object.fromEntries(products) as Record<string, object>);
  mirror.files.set('streams/v1/images.sjson', Buffer.from(await clearSign(text, key)));
  const here = rack();
  assert.deepEqual(reasons(await here.import([source('a', mirror)])), []);
  assert.equal(here.published().length, 3);
  assert.equal(here.shelf.list().length, 7);
  for (const { sha256: sum } of here.shelf.list()) assert.equal(sha256(readFileSync(here.shelf.pathOf(sum))), sum);
});

test('when a mirror is gone in the middle, its other files are not asked for one by one', async () => {
  const names = Array.from({ length: 15 }, (_, i) => `release-${i}`);
  const mirror = await TestMirror.start([]);
  mirrors.push(mirror);
  const products = names.map((release) => [release, product({ release }, { '1': { 'boot-kernel': release } })]);
  const text = productsFile(Object.fromEntries(products) as Record<string, object>);
  mirror.files.set('streams/v1/images.sjson', Buffer.from(await clearSign(text, key)));
  mirror.files.set('streams/v1/index.sjson', Buffer.from(await clearSign(indexFile(['streams/v1/images.sjson']), key)));
  mirror.misbehave((of) => (of.startsWith('release') ? { status: 503 } : {}));
  const here = rack();
  const report = await here.import([source('a', mirror)], { parallel: 1 });
  assert.equal(reasons(report).length, 15);
  assert.equal(reasons(report).filter((reason) => reason.endsWith('files in a row could not be had')).length, 12);
  assert.equal(new Set(mirror.asked.map(({ path: of }) => of).filter((of) => of.startsWith('release'))).size, 3);
});
