import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lab, type LabWords } from '../../src/cli/lab.ts';

const { signal } = new AbortController();
const CASES: readonly (readonly [string, LabWords, string])[] = [
  [
    'a firmware that there is not',
    { firmware: 'efi', signal },
    '--firmware: expected one of bios, bios-pxe, uefi, uefi-http, secure-boot, uefi-ia32, arm64, arm64-secure-boot, found "efi"',
  ],
  [
    'a loader that there is not for the firmware',
    { firmware: 'uefi', loader: 'pxelinux', signal },
    '--loader: expected one of snponly, ipxe, shim, grub, found "pxelinux"',
  ],
  ['a time that is none', { timeout: '3m', signal }, '--timeout: expected a number of seconds above 0, found "3m"'],
  ['no time at all', { timeout: '0', signal }, '--timeout: expected a number of seconds above 0, found "0"'],
];

describe('rackboot lab', () => {
  for (const [what, words, sentence] of CASES) {
    it(`refuses ${what} as wrong usage, with what was expected and found`, async () => {
      const lines: string[] = [];
      assert.equal(await lab(words, (line) => lines.push(line)), 2);
      assert.deepEqual(lines, [sentence]);
    });
  }
});
