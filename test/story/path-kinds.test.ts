import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPathKinds, type PathKind } from '../../src/story/path-kinds.ts';
import { DEBIAN, testPlan } from '../boot/boot-plan-fixture.ts';
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
  ['/rescue/bzImage', 'kernel'],
  ['/rescue/notes.txt', 'file'],
  ['../etc/passwd', 'file'],
];

for (const [path, kind] of KINDS) {
  test(`${path} is a ${kind}`, () => assert.equal(PATHS.kindOf(path), kind));
}

test('a device tree is neither a kernel nor an initrd', () => {
  const dtb = { path: 'board/board.dtb', file: '/d' };
  const paths = createPathKinds(testPlan({ entries: [{ ...DEBIAN, dtb }] }));
  assert.equal(paths.kindOf('/board/board.dtb'), 'dtb');
});

test('a file is the same in the folder of a U-Boot', () => {
  const paths = ['debian/vmlinuz', 'debian/initrd.gz', `pxelinux.cfg/01-${MAC.replaceAll(':', '-')}`, 'notes'];
  assert.deepEqual(
    paths.map((path) => PATHS.kindOf(`u-boot-arm64/${path}`)),
    ['kernel', 'initrd', 'script', 'file'],
  );
  assert.equal(PATHS.hasInitrd('u-boot-arm64/rescue/bzImage'), false);
});

test('a kernel is known to want an initrd or none', () => {
  assert.deepEqual(
    ['/debian/vmlinuz', '/rescue/bzImage'].map((path) => PATHS.hasInitrd(path)),
    [true, false],
  );
});
