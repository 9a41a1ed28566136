import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readProducts } from '../../../src/images/streams/read-products.ts';
import { selectVersions, type Selection } from '../../../src/images/streams/select-versions.ts';
import { product, productsFile } from './stream-fixture.ts';

const FILES = {
  '20240102': { 'boot-kernel': 'b' },
  '20240101': { 'boot-kernel': 'a' },
  '20240103': { 'boot-kernel': 'c' },
};
const HWE = 'generic,hwe-p,ga-24.04,hwe-24.04';
const { versions } = readProducts(
  productsFile({
    edge: product({ subarch: 'hwe-24.04', subarches: HWE }, FILES),
    ga: product({}, FILES),
    arm: product({ arch: 'arm64' }, FILES),
    candidate: product({ label: 'candidate' }, FILES),
    jammy: product({ release: 'jammy', subarch: 'ga-22.04' }, FILES),
    centos: product({ os: 'centos', release: 'centos70', subarch: 'generic' }, FILES),
  }),
  'images.json',
);

const ALL: Selection = { os: '*', release: '*', arches: ['*'], subarches: ['*'], labels: ['*'] };
const NOBLE: Selection = { ...ALL, os: 'ubuntu', release: 'noble', arches: ['amd64'], labels: ['stable'] };

const CASES: readonly (readonly [name: string, selections: readonly Selection[], products: readonly string[]])[] = [
  ['none at all takes everything', [], ['edge', 'ga', 'arm', 'candidate', 'jammy', 'centos']],
  ['all stars take everything', [ALL], ['edge', 'ga', 'arm', 'candidate', 'jammy', 'centos']],
  ['a release, an architecture and a label', [NOBLE], ['edge', 'ga']],
  ['one label of several', [{ ...NOBLE, labels: ['candidate'] }], ['candidate']],
  ['generic is the kernel a release came with', [{ ...NOBLE, subarches: ['generic'] }], ['ga']],
  ['a kernel by its own name', [{ ...NOBLE, subarches: ['hwe-24.04'] }], ['edge']],
  ['an old name is the first kernel that will do', [{ ...NOBLE, subarches: ['hwe-p'] }], ['edge']],
  [
    'two selections add up',
    [
      { ...NOBLE, subarches: ['generic'] },
      { ...ALL, os: 'centos' },
    ],
    ['ga', 'centos'],
  ],
];
for (const [name, selections, products] of CASES) {
  test(`a selection: ${name}`, () => {
    const { images, unmet } = selectVersions(versions, selections, 1);
    assert.deepEqual(
      [...images.values()].map(([newest]) => newest?.product),
      products,
    );
    assert.deepEqual(unmet, []);
  });
}

function kept(keep: number): string[][] {
  const { images } = selectVersions(versions, [{ ...NOBLE, subarches: ['generic'] }], keep);
  return [...images.values()].map((each) => each.map(({ version }) => version));
}

test('of each image the newest version is taken, or as many as are to be kept', () => {
  assert.deepEqual(kept(1), [['20240103']]);
  assert.deepEqual(kept(2), [['20240103', '20240102']]);
});

test('a selection that nothing answers to is told', () => {
  const wanted = { ...NOBLE, release: 'plucky' };
  assert.deepEqual(selectVersions(versions, [NOBLE, wanted], 1).unmet, [wanted]);
});
