import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PathKind } from '../../src/story/path-kinds.ts';
import { MAC, PATHS } from './story-fixture.ts';

const KINDS: readonly (readonly [path: string, kind: PathKind])[] = [
  ['snponly.efi', 'loader'],
  ['/undionly.kpxe', 'loader'],
  ['/boot.ipxe', 'script'],
  [`/ipxe/${MAC}`, 'script'],
  [`/boot.ipxe?mac=${MAC}`, 'script'],
  ['grub/grub.cfg', 'script'],
  ['autoexec.ipxe', 'script'],
  ['/debian/vmlinuz', 'kernel'],
  ['debian\\vmlinuz', 'kernel'],
  ['/debian/initrd.gz', 'initrd'],
  ['/debian/my%20firmware.cpio', 'initrd'],
  ['debian/my firmware.cpio', 'initrd'],
  ['/debian/%zz', 'file'],
  ['/rescue/bzImage', 'kernel'],
  ['/rescue/notes.txt', 'file'],
  ['../etc/passwd', 'file'],
];

for (const [path, kind] of KINDS) {
  test(`${path} is a ${kind}`, () => assert.equal(PATHS.kindOf(path), kind));
}

test('a kernel is known to want an initrd or none', () => {
  assert.deepEqual(
    ['/debian/vmlinuz', '/rescue/bzImage'].map((path) => PATHS.hasInitrd(path)),
    [true, false],
  );
});
