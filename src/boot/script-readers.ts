import type { OtherArch } from '../plan/plan.ts';

/**
 * Firmware that is a loader itself: it reads its script, in words like PXELINUX's, from pxelinux.cfg in the folder of the boot file
 * that DHCP tells, and takes every path in it to be below that folder too. So each kind has a folder of its own, which tells what
 * it is; below it is all that is served.
 */
export interface ScriptReader {
  readonly kind: 'u-boot' | 'petitboot';
  readonly runs: OtherArch;
  readonly folder: string;
}

export const U_BOOT_ARM64: ScriptReader = { kind: 'u-boot', runs: 'arm64', folder: 'u-boot-arm64' };
export const U_BOOT_ARMHF: ScriptReader = { kind: 'u-boot', runs: 'armhf', folder: 'u-boot-armhf' };
export const PETITBOOT_PPC64EL: ScriptReader = { kind: 'petitboot', runs: 'ppc64el', folder: 'petitboot-ppc64el' };

const READERS = new Map(
  [U_BOOT_ARM64, U_BOOT_ARMHF, PETITBOOT_PPC64EL].map((reader) => [reader.folder, reader] as const),
);

/** What a reader is told to boot where it needs no program: U-Boot's `dhcp` fetches it, and would call a missing one a failure. */
const NO_PROGRAM = 'see-pxelinux.cfg';

/** The boot file it is told of: `program` is for a U-Boot whose own script starts an EFI program instead. */
export function readerBootFile({ folder }: ScriptReader, program = NO_PROGRAM): string {
  return `${folder}/${program}`;
}

/** Whose folder a served path is in, and what it is there; undefined for any other path. */
export function readerOf(path: string): { readonly reader: ScriptReader; readonly below: string } | undefined {
  const end = path.indexOf('/');
  const reader = end < 0 ? undefined : READERS.get(path.slice(0, end));
  return reader && { reader, below: path.slice(end + 1) };
}

export function isNoProgram(below: string): boolean {
  return below === NO_PROGRAM;
}
