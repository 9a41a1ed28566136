import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { normalizePath } from '../../src/boot/normalize-path.ts';

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['boot.ipxe', 'boot.ipxe'],
  ['/boot.ipxe', 'boot.ipxe'],
  ['//debian///vmlinuz', 'debian/vmlinuz'],
  ['./debian/./vmlinuz', 'debian/vmlinuz'],
  ['\\debian\\vmlinuz', 'debian/vmlinuz'],
  ['/debian/', 'debian'],
  ['', ''],
  ['/', ''],
  ['/./\\.', ''],
  ['snponly.efi\u00ff', 'snponly.efi'],
  ['snponly.efi\ufffd\ufffd', 'snponly.efi'],
  ['a file with blanks', 'a file with blanks'],
  ['...', '...'],
  ['a..b/..c', 'a..b/..c'],
  ['%2e%2e/etc/passwd', '%2e%2e/etc/passwd'],
  ['..', undefined],
  ['../etc/passwd', undefined],
  ['/../../etc/passwd', undefined],
  ['debian/../vmlinuz', undefined],
  ['..\\windows', undefined],
  ['a\\..\\..\\b', undefined],
  ['debian/..', undefined],
  ['..\u00ff', undefined],
  ['boot.ipxe\0', undefined],
  ['boot.ipxe\0.txt', undefined],
  ['a\nb', undefined],
  ['a\u007fb', undefined],
  ['a\u0085b', undefined],
  ['\u001b[31m', undefined],
];

describe('the served path of what a client wrote', () => {
  for (const [raw, expected] of CASES) {
    it(`${JSON.stringify(raw)} is ${expected === undefined ? 'refused' : JSON.stringify(expected)}`, () => {
      assert.equal(normalizePath(raw), expected);
    });
  }

  it('never leaves the directory it is joined to', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', '\0', 'a', '%2e', 'ÿ', '\ufffd', ' ', '\n', 'é', '\ud800');
    const paths = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(paths, (raw) => {
        const path = normalizePath(raw);
        if (path === undefined) return;
        assert.equal(path === '' ? '/root' : `/root/${path}`, posix.resolve('/root', path));
      }),
      { seed: 20261122, numRuns: 5000 },
    );
  });
});
