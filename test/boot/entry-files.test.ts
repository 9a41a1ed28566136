import assert from 'node:assert/strict';
import { test } from 'node:test';

import { filesFor, filesOfEntry, formsOf } from '../../src/boot/entry-files.ts';
import type { BootEntry, BootFiles } from '../../src/plan/plan.ts';

function files(arch: string): BootFiles {
  const file = (name: string) => ({ path: `${arch}/${name}`, file: `/srv/${arch}/${name}` });
  return { kernel: file('k'), initrd: [file('i')], dtb: file('d'), cmdline: '' };
}

const ENTRY: BootEntry = { name: 'noble', ...files('x86'), others: { armhf: files('armhf') } };

test('a machine gets the files for its architecture, or those of the entry', () => {
  const kernels = (['x86', 'armhf', 'arm64'] as const).map((arch) => filesFor(ENTRY, arch).kernel.path);
  assert.deepEqual(kernels, ['x86/k', 'armhf/k', 'x86/k']);
});

test('a device tree is a file of the entry, for whoever keeps its files, and not one that every machine fetches', () => {
  const paths = filesOfEntry(ENTRY).map(({ path }) => path);
  assert.deepEqual(paths.toSorted(), ['armhf/d', 'armhf/i', 'armhf/k', 'x86/d', 'x86/i', 'x86/k']);
  assert.deepEqual(
    formsOf(ENTRY).map((form) => form.map(({ path }) => path)),
    [
      ['x86/k', 'x86/i'],
      ['armhf/k', 'armhf/i'],
    ],
  );
});
