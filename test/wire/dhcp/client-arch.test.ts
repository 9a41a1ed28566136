import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientArch, clientArchName } from '../../../src/wire/dhcp/client-arch.ts';

/** Numbers as IANA's table prints them. */
const NAMED: readonly [number, number, string][] = [
  [ClientArch.bios, 0x00, 'x86 BIOS'],
  [ClientArch.ia32Efi, 0x06, 'x86 UEFI'],
  [ClientArch.x64Efi, 0x07, 'x64 UEFI'],
  [ClientArch.ebc, 0x09, 'EFI byte code'],
  [ClientArch.arm64Efi, 0x0b, 'ARM 64-bit UEFI'],
  [ClientArch.x64EfiHttp, 0x10, 'x64 UEFI HTTP'],
  [ClientArch.arm64EfiHttp, 0x13, 'ARM 64-bit UEFI HTTP'],
  [ClientArch.biosHttp, 0x14, 'x86 BIOS HTTP'],
  [ClientArch.arm64Uboot, 0x16, 'ARM 64-bit U-Boot'],
  [ClientArch.riscv64Efi, 0x1b, 'RISC-V 64-bit UEFI'],
  [ClientArch.loongarch64EfiHttp, 0x28, 'LoongArch 64-bit UEFI HTTP'],
  [ClientArch.rpiboot, 0x29, 'Raspberry Pi rpiboot'],
];

for (const [arch, number, name] of NAMED) {
  test(`architecture ${number} is ${name}`, () => {
    assert.equal(arch, number);
    assert.equal(clientArchName(arch), name);
  });
}

test('every architecture that speaks HTTP says so in its name, and no other', () => {
  for (const [key, arch] of Object.entries(ClientArch)) {
    assert.equal(clientArchName(arch).endsWith('HTTP'), key.endsWith('Http'), key);
  }
});

test('a number IANA has not given out shows as such', () => {
  assert.deepEqual([0x2a, 0xffff].map(clientArchName), ['architecture 42', 'architecture 65535']);
});
