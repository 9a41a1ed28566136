import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { LOADER_KINDS } from '../../src/plan/plan.ts';
import { kernelMisfit, loaderMisfit } from '../../src/plan/program-kind.ts';
import { arm64Kernel, efiProgram, PE_MACHINE, x86Kernel } from '../fixtures/programs.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const PXE_PROGRAM = Uint8Array.of(0xea, 0x05, 0, 0xc0, 0x07, 0xfa);

describe('a kernel', () => {
  for (const [title, bytes] of [
    ['an x86 bzImage', x86Kernel()],
    ['an arm64 Image', arm64Kernel()],
    ['an EFI program', efiProgram()],
    ['an ELF file', text('\x7fELF...')],
    ['a gzip file', Uint8Array.of(0x1f, 0x8b, 8)],
  ] as const) {
    test(`may be ${title}`, () => assert.equal(kernelMisfit(bytes), undefined));
  }

  for (const [title, bytes, found] of [
    ['a web page', text('<html>'), 'neither a program nor a kernel, by its first bytes'],
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a program of DOS', text('MZ and then no more'), 'neither a program nor a kernel, by its first bytes'],
  ] as const) {
    test(`is not ${title}`, () => assert.equal(kernelMisfit(bytes)?.found, found));
  }
});

describe('a loader', () => {
  const GOOD = [
    ['bios', PXE_PROGRAM],
    ['uefi', efiProgram(PE_MACHINE.x64)],
    ['uefi-ia32', efiProgram(PE_MACHINE.ia32)],
    ['uefi-arm64', efiProgram(PE_MACHINE.arm64)],
    ['uefi-arm32', efiProgram(PE_MACHINE.arm32)],
    ['open-firmware', text('\x7fELF...')],
  ] as const;
  for (const kind of LOADER_KINDS) {
    test(`for ${kind} is taken for that and no other firmware`, () => {
      const fitting = GOOD.filter(([, bytes]) => loaderMisfit(kind, bytes) === undefined).map(([of]) => of);
      assert.deepEqual(fitting, [kind]);
    });
  }

  test('of another kind is named', () => {
    const riscv = loaderMisfit('uefi', efiProgram(0x5064));
    assert.deepEqual(riscv, { expected: 'an EFI program for x86-64', found: 'an EFI program for 64-bit RISC-V' });
    assert.equal(loaderMisfit('uefi', efiProgram(0x1234))?.found, 'an EFI program for machine type 0x1234');
    assert.equal(loaderMisfit('uefi', PXE_PROGRAM)?.found, 'neither a program nor a kernel, by its first bytes');
    assert.equal(loaderMisfit('bios', x86Kernel())?.found, 'a Linux kernel for x86');
    assert.equal(loaderMisfit('bios', new Uint8Array(0))?.found, 'an empty file');
  });

  test('may be any bytes without an error', () => {
    const mangled = fc.tuple(fc.constantFrom(efiProgram(), x86Kernel(), arm64Kernel()), fc.nat(0x120), fc.uint8Array());
    fc.assert(
      fc.property(mangled, fc.constantFrom(...LOADER_KINDS), ([bytes, at, patch], kind) => {
        const copy = bytes.slice(0, Math.max(at, 1) + patch.length);
        copy.set(patch.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
        loaderMisfit(kind, copy);
        kernelMisfit(copy);
      }),
      { seed: 20261122, numRuns: 5000 },
    );
  });
});
