import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { addImage } from '../../src/images/add-image.ts';
import { DirectoryOrigin } from '../../src/images/directory-origin.ts';
import type { ImageRow } from '../../src/images/image-row.ts';
import { imageIndex, readImageIndex } from '../../src/images/open-image-store.ts';
import { readStream } from '../../src/images/streams/read-stream.ts';
import { writeStream } from '../../src/images/write-stream.ts';
import { imageShelf, shelvedFile } from '../../src/plan/stored-image.ts';
import { signingKey } from './streams/stream-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-export-'));
after(() => rmSync(root, { recursive: true }));
const key = await signingKey();
const NEVER = new AbortController().signal;
const NOW = Date.UTC(2026, 6, 18, 9, 30, 42);

function own(name: string, text: string): string {
  const file = join(mkdtempSync(join(root, 'own-')), name);
  writeFileSync(file, text);
  return file;
}

async function rackWithAnImage(): Promise<{ state: string; row: ImageRow }> {
  const state = mkdtempSync(join(root, 'state-'));
  const kernel = { file: own('x.iso', '....kernel....'), offset: 4, size: 6 };
  const row = await addImage(
    state,
    {
      os: 'custom',
      release: 'rescue',
      arch: 'amd64',
      files: [
        { name: 'boot-kernel', ftype: 'boot-kernel', content: kernel },
        { name: 'boot-initrd', ftype: 'boot-initrd', content: { file: own('i', 'initrd') } },
      ],
    },
    NOW,
  );
  return { state, row };
}

test("an operator's own files are an image, by their content, with the time as version", async () => {
  const { state, row } = await rackWithAnImage();
  assert.deepEqual([row.version, row.source, row.label], ['20260718.093042', 'by hand', 'added']);
  const texts = row.files.map(({ sha256 }) => readFileSync(shelvedFile(imageShelf(state), sha256), 'utf8'));
  assert.deepEqual(texts, ['kernel', 'initrd']);
  assert.deepEqual(readImageIndex(imageIndex(state)), { images: [row], sources: [] });
});

test('what is added under a name again takes the place of what had it', async () => {
  const { state, row } = await rackWithAnImage();
  const { os, release, arch } = row;
  const files = [{ name: 'boot-kernel', ftype: 'boot-kernel', content: { file: own('k', 'newer') } }];
  await addImage(state, { os, release, arch, files }, NOW + 1000);
  assert.deepEqual(
    readImageIndex(imageIndex(state))?.images.map(({ version, retiredAt }) => [version, retiredAt]),
    [
      ['20260718.093042', NOW + 1000],
      ['20260718.093043', undefined],
    ],
  );
});

test('a file that ends early is refused, and leaves nothing behind', async () => {
  const state = mkdtempSync(join(root, 'state-'));
  const content = { file: own('k', 'short'), offset: 2, size: 100 };
  const image = { os: 'a', release: 'b', arch: 'amd64', files: [{ name: 'k', ftype: 'boot-kernel', content }] };
  await assert.rejects(addImage(state, image, NOW), { message: 'a file ends 97 bytes early' });
  assert.deepEqual(readImageIndex(imageIndex(state))?.images, []);
});

for (const [name, signed] of [
  ['signed', true],
  ['not signed', false],
] as const) {
  test(`a mirror that is written ${name} is read again as it was`, async () => {
    const { state, row } = await rackWithAnImage();
    const directory = mkdtempSync(join(root, 'mirror-'));
    const loader: ImageRow = {
      ...row,
      os: 'grub-efi-signed',
      release: 'grub-efi-signed',
      subarch: '',
      subarches: [],
      loaderType: 'uefi',
      files: row.files.map((file) => ({ ...file, ftype: file.name === 'boot-kernel' ? 'archive.tar.xz' : 'loader' })),
    };
    await writeStream(directory, {
      images: [row, loader],
      pathOf: (sha256) => shelvedFile(imageShelf(state), sha256),
      key: signed ? key.privateKey.armor() : undefined,
      now: NOW,
    });
    const keyring = { file: 'mirror.gpg', bytes: key.binary };
    const place = { origin: new DirectoryOrigin(directory), ...(signed && { keyring }) };
    const { versions, refused } = await readStream(place, NEVER, Date.now());
    assert.deepEqual(refused, []);
    assert.deepEqual(
      versions.map(({ os, release, arch, subarch, label, version, loaderType }) => [
        os,
        release,
        arch,
        subarch,
        label,
        version,
        loaderType,
      ]),
      [
        ['custom', 'rescue', 'amd64', 'generic', 'added', '20260718.093042', undefined],
        ['grub-efi-signed', 'grub-efi-signed', 'amd64', '', 'added', '20260718.093042', 'uefi'],
      ],
    );
    assert.deepEqual(
      versions[0]?.items.map(({ name: item, path, sha256 }) => [
        item,
        sha256,
        readFileSync(join(directory, path), 'utf8'),
      ]),
      row.files.map(({ name: item, sha256 }) => [item, sha256, item === 'boot-kernel' ? 'kernel' : 'initrd']),
    );
    assert.equal(versions[1]?.items.length, 1);
  });
}
