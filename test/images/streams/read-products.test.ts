import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { readProducts } from '../../../src/images/streams/read-products.ts';
import { compareVersions } from '../../../src/plan/image-choice.ts';
import { product, productsFile, sha256 } from './stream-fixture.ts';

const FILE = 'streams/v1/images.json';
const NAME = 'com.ubuntu.maas.stable:v3:boot:24.04:amd64:ga-24.04';
const KERNEL = { 'boot-kernel': 'k', 'boot-initrd': 'i', squashfs: 's' };

test('what a product says holds for its versions and their items, and the nearest word counts', () => {
  const text = JSON.stringify({
    format: 'products:1.0',
    label: 'from-the-file',
    products: {
      [NAME]: {
        os: 'ubuntu',
        release: 'noble',
        release_title: '24.04 LTS',
        arch: 'amd64',
        subarch: 'ga-24.04',
        subarches: 'generic,hwe-p, ga-24.04',
        ftype: 'of-the-product',
        versions: {
          '20240418': {
            label: 'from-the-version',
            items: {
              'boot-kernel': { ftype: 'boot-kernel', path: 'a/k', sha256: sha256('k'), size: 1 },
              odd: { path: 'a/o', sha256: sha256('o'), size: 2 },
              'no-path': { sha256: sha256('o'), size: 2 },
              'md5-only': { path: 'a/m', md5: 'x', size: 2 },
            },
          },
        },
      },
    },
  });
  assert.deepEqual(readProducts(text, FILE), {
    refused: [],
    versions: [
      {
        product: NAME,
        version: '20240418',
        os: 'ubuntu',
        release: 'noble',
        arch: 'amd64',
        subarch: 'ga-24.04',
        subarches: ['ga-24.04', 'generic', 'hwe-p'],
        kflavor: 'generic',
        label: 'from-the-version',
        title: '24.04 LTS',
        items: [
          { name: 'boot-kernel', ftype: 'boot-kernel', path: 'a/k', sha256: sha256('k'), size: 1 },
          { name: 'odd', ftype: 'of-the-product', path: 'a/o', sha256: sha256('o'), size: 2 },
        ],
      },
    ],
  });
});

test('of one product the newest version comes first, by number and not by letter', () => {
  const text = productsFile({
    [NAME]: product({}, { '20240418': KERNEL, '20240418.10': KERNEL, '20240418.9': KERNEL }),
  });
  assert.deepEqual(
    readProducts(text, FILE).versions.map(({ version }) => version),
    ['20240418.10', '20240418.9', '20240418'],
  );
  assert.ok(compareVersions('20250101', '20241231.9') > 0);
  assert.equal(compareVersions('20250101', '20250101'), 0);
});

test('a loader needs no release and no kernel', () => {
  const items = {
    'grub2-signed': { ftype: 'archive.tar.xz', path: 'b/grub2.tar.xz', sha256: sha256('x'), size: 1 },
  };
  const loader = { os: 'grub-efi-signed', arch: 'amd64', label: 'stable', 'bootloader-type': 'uefi' };
  const { versions } = readProducts(productsFile({ l: { ...loader, versions: { '20240101.0': { items } } } }), FILE);
  const [{ release, subarch, loaderType } = {}] = versions;
  assert.deepEqual({ release, subarch, loaderType }, { release: 'grub-efi-signed', subarch: '', loaderType: 'uefi' });
});

const item = { ftype: 'boot-kernel', path: 'a/k', sha256: sha256('k'), size: 1 };
const withItem = (changed: object): object => {
  const good = product({}, {});
  return { ...good, versions: { '20240418': { items: { 'boot-kernel': { ...item, ...changed } } } } };
};
const REFUSED: readonly (readonly [name: string, bad: unknown, says: RegExp])[] = [
  ['is no mapping', 7, /expected a mapping, found 7/],
  ['has no versions', { os: 'ubuntu' }, /versions: expected a mapping, found undefined/],
  ['has an os that climbs', product({ os: '../..' }, { '1': KERNEL }), /1: os: expected a word/],
  ['has a release with a slash', product({ release: 'a/b' }, { '1': KERNEL }), /release: expected a word/],
  ['has a version that climbs', product({}, { '..': KERNEL }), /expected a version of letters/],
  [
    'has an architecture of another type',
    { ...product({}, { '1': KERNEL }), arch: ['amd64'] },
    /arch: expected a word/,
  ],
  ['has subarches of another type', { ...product({}, { '1': KERNEL }), subarches: 7 }, /subarches: expected words/],
  [
    'has subarches without end',
    product({ subarches: 'a,'.repeat(9) + Array.from({ length: 300 }, (_, i) => `s${i}`).join(',') }, { '1': KERNEL }),
    /at most 256 words, found 30\d of them/,
  ],
  [
    'has an item with a path that climbs',
    withItem({ path: 'a/../../k' }),
    /boot-kernel: path: expected a path that does not climb/,
  ],
  ['has an item elsewhere', withItem({ path: 'http://evil.example/k' }), /expected a path inside the stream/],
  ['has a checksum that is none', withItem({ sha256: 'abc' }), /sha256: expected 64 lower-case hex digits, found abc/],
  ['has a size below zero', withItem({ size: -1 }), /size: expected bytes from 1 to/],
  ['has a size past all disks', withItem({ size: 2 ** 60 }), /size: expected bytes from 1 to/],
  ['has a size in words', withItem({ size: '1' }), /size: expected bytes from 1 to/],
  ['has a size with a fraction', withItem({ size: 1.5 }), /size: expected bytes from 1 to/],
  ['has no size', withItem({ size: undefined }), /size: expected bytes from 1 to/],
];
for (const [name, bad, says] of REFUSED) {
  test(`a product that ${name} is refused by name, and the others are read`, () => {
    const text = productsFile({ bad: bad as object, good: product({}, { '20240418': KERNEL }) });
    const { versions, refused } = readProducts(text, FILE);
    assert.deepEqual(
      versions.map((each) => each.product),
      ['good'],
    );
    assert.equal(refused[0]?.product, 'bad');
    assert.match(refused[0]?.reason ?? '', says);
  });
}

test('a name of JavaScript own is a name like any other', () => {
  const text = `{"format":"products:1.0","products":{"__proto__":{"os":"x"},"constructor":{"versions":{}}}}`;
  const { versions, refused } = readProducts(text, FILE);
  assert.deepEqual(versions, []);
  assert.deepEqual(
    refused.map((each) => each.product),
    ['__proto__'],
  );
});

test('an index is no products file', () => {
  assert.throws(() => readProducts('{"format":"index:1.0"}', FILE), { message: /expected format products:1\.0/ });
});

test('versions without end are refused', () => {
  const versions = `{${Array.from({ length: 50_001 }, (_, i) => `"${i}":{"items":{}}`).join(',')}}`;
  const text = `{"format":"products:1.0","os":"o","arch":"a","products":{"a":{"release":"r","versions":${versions}}}}`;
  assert.throws(() => readProducts(text, FILE), { message: `${FILE}: expected at most 50000 versions` });
});

/** Each handed down to each would be a billion. */
test('attributes without end are not handed down to versions without end', () => {
  const attributes = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`a${i}`, i]));
  const files = Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [String(i), {}]));
  const text = productsFile({ bad: { ...attributes, ...product({}, files) } });
  assert.equal(readProducts(text, FILE).versions.length, 25_000);
});

test('a list of subarches that is longer than any is refused', () => {
  const text = productsFile({ bad: product({ subarches: 'a,'.repeat(5_000) }, { '1': KERNEL }) });
  assert.match(readProducts(text, FILE).refused[0]?.reason ?? '', /subarches: expected at most 8192 characters/);
});

/** In a process of its own, so that its peak is that of reading alone. */
test('a products file of 10 MB is read within 200 MB; how long it took is told', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-stream-'));
  const file = join(directory, 'products.json');
  writeFileSync(file, largeProductsFile());
  const script = `
    import { readFileSync } from 'node:fs';
    const { readProducts } = await import(${JSON.stringify(import.meta.resolve('../../../src/images/streams/read-products.ts'))});
    const text = readFileSync(${JSON.stringify(file)}, 'utf8');
    const began = performance.now();
    const { versions, refused } = readProducts(text, 'big');
    const milliseconds = performance.now() - began;
    const peak = process.resourceUsage().maxRSS * 1024;
    console.log(JSON.stringify({ bytes: text.length, versions: versions.length, refused: refused.length, milliseconds, peak }));
  `;
  try {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const told = JSON.parse(output) as Record<'bytes' | 'versions' | 'refused' | 'milliseconds' | 'peak', number>;
    assert.ok(told.bytes > 10_000_000, `${told.bytes} bytes`);
    assert.deepEqual([told.versions, told.refused], [3 * 120 * 40, 0]);
    t.diagnostic(`read in ${Math.round(told.milliseconds)} ms`);
    assert.ok(told.peak < 200_000_000, `${told.peak} bytes at its peak`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** As many products, subarches and versions as Ubuntu's stream has, several times over. */
function largeProductsFile(): string {
  const items = { 'boot-kernel': 'k', 'boot-initrd': 'i', squashfs: 's', manifest: 'm' };
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`2024${1000 + i}.${i}`, items]));
  const kernels = Array.from({ length: 120 }, (_, i) => `hwe-${i}`);
  const products = ['focal', 'jammy', 'noble'].flatMap((release) =>
    kernels.map((subarch) => [
      `${release}:${subarch}`,
      product({ release, subarch, subarches: 'generic,hwe-p,hwe-q,hwe-r,hwe-s,ga-22.04' }, files),
    ]),
  );
  return productsFile(Object.fromEntries(products) as Record<string, object>);
}
