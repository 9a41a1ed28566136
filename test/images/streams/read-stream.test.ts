import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Origin } from '../../../src/images/origin.ts';
import { readStream } from '../../../src/images/streams/read-stream.ts';
import { TransferError } from '../../../src/images/transfer-error.ts';
import { clearSign, indexFile, product, productsFile, signingKey } from './stream-fixture.ts';

const NOW = Date.now();
const NEVER = new AbortController().signal;
const key = await signingKey();
const keyring = { file: 'k.gpg', bytes: key.binary };

function originOf(files: Readonly<Record<string, string>>, asked: string[] = []): Origin {
  return {
    locate: (path) => path,
    open: (path) => {
      asked.push(path);
      const text = files[path];
      if (text === undefined) return Promise.reject(new TransferError(`${path}: answers 404`, false));
      return Promise.resolve({ first: 0, chunks: chunksOf(text) });
    },
  };
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  const step = Math.max(100, Math.ceil(bytes.length / 100));
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

test("a region's stream of MAAS up to 3.4 is read: one content, not signed, products called maas:boot:…", async () => {
  const files = { 'root-image.gz': 'r', 'boot-kernel': 'k', 'boot-initrd': 'i' };
  const name = 'maas:boot:ubuntu:amd64:generic:trusty';
  const words = { release: 'trusty', subarch: 'generic', subarches: 'generic,hwe-p,hwe-t', label: 'release' };
  const origin = originOf({
    'streams/v1/index.json': JSON.stringify({
      format: 'index:1.0',
      updated: 'Thu, 24 Jul 2025 08:01:49 +0000',
      index: {
        'maas:v2:download': {
          datatype: 'image-downloads',
          format: 'products:1.0',
          path: 'streams/v1/maas:v2:download.json',
          products: [name],
          updated: 'Thu, 24 Jul 2025 08:01:49 +0000',
        },
      },
    }),
    'streams/v1/maas:v2:download.json': productsFile({ [name]: product(words, { '20150101': files }) }),
  });
  const { versions, refused } = await readStream({ origin }, NEVER, NOW);
  assert.deepEqual(refused, []);
  assert.deepEqual(
    versions.map(({ os, release, subarch, version, items }) => [os, release, subarch, version, items.length]),
    [['ubuntu', 'trusty', 'generic', '20150101', 3]],
  );
});

test('the index is where it is named, and its files are found from the base on', async () => {
  const asked: string[] = [];
  const origin = originOf(
    { 'streams/v1/other.json': indexFile(['streams/v1/p.json']), 'streams/v1/p.json': productsFile({}) },
    asked,
  );
  await readStream({ origin, index: 'streams/v1/other.json' }, NEVER, NOW);
  assert.deepEqual(asked, ['streams/v1/other.json', 'streams/v1/p.json']);
});

test('a signed index can not lead to products that nobody signed', async () => {
  const origin = originOf({
    'streams/v1/index.sjson': await clearSign(indexFile(['streams/v1/p.json']), key),
    'streams/v1/p.json': productsFile({}),
  });
  await assert.rejects(readStream({ origin, keyring }, NEVER, NOW), { message: 'streams/v1/p.json.gpg: answers 404' });
});

test('an index whose products are an index again is refused', async () => {
  const origin = originOf({ 'streams/v1/index.json': indexFile(['streams/v1/index.json']) });
  await assert.rejects(readStream({ origin }, NEVER, NOW), {
    message: 'streams/v1/index.json: expected format products:1.0, found index:1.0',
  });
});

test('refused products by the hundred thousand are each told, and what can be read is', async () => {
  const bad = Array.from({ length: 200_000 }, (_, i) => `"p${i}":7`).join(',');
  const good = JSON.stringify(product({}, { '1': { 'boot-kernel': 'k' } }));
  const origin = originOf({
    'streams/v1/index.json': indexFile(['streams/v1/p.json']),
    'streams/v1/p.json': `{"format":"products:1.0","products":{${bad},"good":${good}}}`,
  });
  const { versions, refused } = await readStream({ origin }, NEVER, NOW);
  assert.deepEqual([versions.length, refused.length], [1, 200_000]);
});

test('many products files are read up to one size together', async () => {
  const large = `{"format":"products:1.0","products":{},"x":"${'x'.repeat(33 * 2 ** 20)}"}`;
  const files = { 'streams/v1/a.json': large, 'streams/v1/b.json': large };
  const origin = originOf({ 'streams/v1/index.json': indexFile(Object.keys(files)), ...files });
  await assert.rejects(readStream({ origin }, NEVER, NOW), {
    message: /^streams\/v1\/b\.json: expected at most \d+ bytes, found more$/,
  });
});

function dated(text: string, updated: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), updated });
}

test('when signed files were written is told of each, and of files that nobody signed it is not', async () => {
  const index = dated(indexFile(['streams/v1/p.sjson']), 'Thu, 24 Jul 2025 08:01:49 +0000');
  const products = dated(productsFile({}), 'Wed, 23 Jul 2025 08:01:49 +0000');
  const signed = originOf({
    'streams/v1/index.sjson': await clearSign(index, key),
    'streams/v1/p.sjson': await clearSign(products, key),
  });
  assert.deepEqual((await readStream({ origin: signed, keyring }, NEVER, NOW)).stamps, [
    { place: 'streams/v1/index.sjson', updated: Date.UTC(2025, 6, 24, 8, 1, 49) },
    { place: 'streams/v1/p.sjson', updated: Date.UTC(2025, 6, 23, 8, 1, 49) },
  ]);
  const plain = originOf({ 'streams/v1/index.json': index, 'streams/v1/p.sjson': products });
  assert.deepEqual((await readStream({ origin: plain }, NEVER, NOW)).stamps, []);
});

test('a mirror in trouble is not taken for one without a signed index', async () => {
  const asked: string[] = [];
  const origin: Origin = {
    locate: (path) => path,
    open: (path) => {
      asked.push(path);
      return Promise.reject(new TransferError(`${path}: answers 503`, true));
    },
  };
  await assert.rejects(readStream({ origin, keyring }, NEVER, NOW), { message: 'streams/v1/index.sjson: answers 503' });
  assert.deepEqual(asked, ['streams/v1/index.sjson']);
});

test('where there is no index at all, the first place is named', async () => {
  await assert.rejects(readStream({ origin: originOf({}), keyring }, NEVER, NOW), {
    message: 'streams/v1/index.sjson: answers 404',
  });
});
