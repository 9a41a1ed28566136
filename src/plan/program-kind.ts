import type { LoaderKind } from './plan.ts';

/** What a file of a program is, by its first bytes. */
interface ProgramKind {
  /** An EFI program: its PE machine type. */
  readonly efi?: number;
  /** Linux for x86 (or what is made to be loaded like it), or for 64-bit ARM. */
  readonly linux?: 'x86' | 'arm64';
  readonly isElf?: true;
  /** Packed, by a packer that loaders undo. */
  readonly isPacked?: true;
}

/** Enough for the headers of all of them. */
export const HEADER_BYTES = 4096;

const TREE_MAGIC = [0xd0, 0x0d, 0xfe, 0xed];

/** PE/COFF machine types (Microsoft PE format §3.3.1). */
const EFI_MACHINES: ReadonlyMap<number, string> = new Map([
  [0x014c, '32-bit x86'],
  [0x8664, 'x86-64'],
  [0xaa64, '64-bit ARM'],
  [0x01c2, '32-bit ARM'],
  [0x5064, '64-bit RISC-V'],
]);
const WANTED_MACHINE: Readonly<Partial<Record<LoaderKind, number>>> = {
  uefi: 0x8664,
  'uefi-ia32': 0x014c,
  'uefi-arm64': 0xaa64,
  'uefi-arm32': 0x01c2,
};

/** Total: any bytes give an answer. */
function programKind(bytes: Uint8Array): ProgramKind {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const has = (offset: number, word: string): boolean =>
    String.fromCharCode(...bytes.subarray(offset, offset + word.length)) === word;
  const pe = has(0, 'MZ') && bytes.length >= 0x40 ? view.getUint32(0x3c, true) : undefined;
  const efi =
    pe !== undefined && pe + 6 <= bytes.length && has(pe, 'PE\0\0') ? view.getUint16(pe + 4, true) : undefined;
  // Linux: Documentation/arch/x86/boot.rst, Documentation/arch/arm64/booting.rst
  const linux = has(0x202, 'HdrS') ? 'x86' : has(0x38, 'ARM\x64') ? 'arm64' : undefined;
  const isPacked = ['\x1f\x8b', '\xfd7zXZ\0', '\x28\xb5\x2f\xfd', 'BZh'].some((magic) => has(0, magic));
  return {
    ...(efi !== undefined && { efi }),
    ...(linux !== undefined && { linux }),
    ...(has(0, '\x7fELF') && { isElf: true as const }),
    ...(isPacked && { isPacked: true as const }),
  };
}

/** What is found in place of a loader for this firmware, and what is expected; undefined when it will do. */
export function loaderMisfit(kind: LoaderKind, bytes: Uint8Array): { expected: string; found: string } | undefined {
  const program = programKind(bytes);
  const wanted = WANTED_MACHINE[kind];
  if (wanted !== undefined) {
    if (program.efi === wanted) return undefined;
    return { expected: `an EFI program for ${EFI_MACHINES.get(wanted)}`, found: describeProgram(program, bytes) };
  }
  if (kind === 'open-firmware') {
    if (program.isElf) return undefined;
    return { expected: 'an ELF program for Open Firmware', found: describeProgram(program, bytes) };
  }
  // A BIOS boot program has no mark of its own
  if (bytes.length > 0 && Object.keys(program).length === 0) return undefined;
  return { expected: 'a network boot program for x86 BIOS', found: describeProgram(program, bytes) };
}

/** What is found in place of a kernel, and what is expected; undefined when it will do. */
export function kernelMisfit(bytes: Uint8Array): { expected: string; found: string } | undefined {
  const program = programKind(bytes);
  if (Object.keys(program).length > 0) return undefined;
  const expected = 'a kernel: x86 bzImage, arm64 Image, EFI program, ELF, or one of these packed';
  return { expected, found: describeProgram(program, bytes) };
}

/** The same of a device tree (Devicetree Specification 0.4 §5.2: magic 0xd00dfeed). */
export function treeMisfit(bytes: Uint8Array): { expected: string; found: string } | undefined {
  if (hasMagic(bytes, TREE_MAGIC)) return undefined;
  return {
    expected: 'a device tree blob, as dtc makes of a source',
    found: describeProgram(programKind(bytes), bytes),
  };
}

function hasMagic(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function describeProgram({ efi, linux, isElf, isPacked }: ProgramKind, bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  if (efi !== undefined) return `an EFI program for ${EFI_MACHINES.get(efi) ?? `machine type 0x${efi.toString(16)}`}`;
  if (linux !== undefined) return `a Linux kernel for ${linux}`;
  if (isElf) return 'an ELF file';
  return isPacked ? 'a packed file' : 'neither a program nor a kernel, by its first bytes';
}
