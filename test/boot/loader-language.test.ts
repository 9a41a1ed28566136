import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { languageOf, scriptPath } from '../../src/boot/loader-language.ts';
import { mac } from './boot-plan-fixture.ts';

const MAC = mac('52:54:00:12:34:56');

const LOADERS: readonly (readonly [string, ReturnType<typeof languageOf>, string])[] = [
  ['undionly.kpxe', 'ipxe', 'ipxe/52-54-00-12-34-56'],
  ['x64/mine.efi', 'ipxe', 'ipxe/52-54-00-12-34-56'],
  ['shimx64.efi', 'grub', 'grub/grub.cfg-52:54:00:12:34:56'],
  ['sb/GRUBNETX64.EFI', 'grub', 'grub/grub.cfg-52:54:00:12:34:56'],
  ['bootppc64.bin', 'grub', 'grub/grub.cfg-52:54:00:12:34:56'],
  ['pxelinux.0', 'pxelinux', 'pxelinux.cfg/01-52-54-00-12-34-56'],
  ['lpxelinux/lpxelinux.0', 'lpxelinux', 'lpxelinux/pxelinux.cfg/01-52-54-00-12-34-56'],
];

describe('a loader', () => {
  for (const [path, language, script] of LOADERS) {
    it(`at ${path} asks for ${script}`, () => {
      assert.equal(languageOf(path), language);
      assert.equal(scriptPath(path, MAC), script);
    });
  }
});
