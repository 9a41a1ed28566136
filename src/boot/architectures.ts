import type { LoaderKind, OtherArch } from '../plan/plan.ts';
import { PETITBOOT_PPC64EL, U_BOOT_ARM64, U_BOOT_ARMHF, type ScriptReader } from './script-readers.ts';

/** A kind of firmware that this rack has a loader for, if it is on disk, or that is one itself. */
export interface Architecture {
  readonly name: string;
  /** Whose files of an image are for it. Default: x86. */
  readonly runs?: OtherArch;
  readonly loader?: LoaderKind;
  /** It reads its script itself. */
  readonly reads?: ScriptReader;
  /** It fetches by HTTP. */
  readonly isHttp?: true;
}

/**
 * IANA "Processor Architecture Types", as far as there are loaders for them. 9 is missing: what it means is
 * disputed, and the quirk arch-9-is-x64 decides.
 */
const ARCHITECTURES: ReadonlyMap<number, Architecture> = new Map<number, Architecture>([
  [0x00, { name: 'x86 BIOS', loader: 'bios' }],
  [0x06, { name: '32-bit x86 UEFI', loader: 'uefi-ia32' }],
  [0x07, { name: 'x86-64 UEFI', loader: 'uefi' }],
  [0x0a, { name: '32-bit ARM UEFI', runs: 'armhf', loader: 'uefi-arm32' }],
  [0x0b, { name: '64-bit ARM UEFI', runs: 'arm64', loader: 'uefi-arm64' }],
  [0x0c, { name: 'POWER with Open Firmware', runs: 'ppc64el', loader: 'open-firmware' }],
  [0x0e, { name: 'POWER with OPAL', runs: 'ppc64el', reads: PETITBOOT_PPC64EL }],
  [0x0f, { name: '32-bit x86 UEFI', loader: 'uefi-ia32', isHttp: true }],
  [0x10, { name: 'x86-64 UEFI', loader: 'uefi', isHttp: true }],
  [0x12, { name: '32-bit ARM UEFI', runs: 'armhf', loader: 'uefi-arm32', isHttp: true }],
  [0x13, { name: '64-bit ARM UEFI', runs: 'arm64', loader: 'uefi-arm64', isHttp: true }],
  // U-Boot starts EFI programs itself (its `bootefi`); where its boot target is EFI, it says that it is UEFI
  [0x15, { name: '32-bit ARM U-Boot', runs: 'armhf', loader: 'uefi-arm32', reads: U_BOOT_ARMHF }],
  [0x16, { name: '64-bit ARM U-Boot', runs: 'arm64', loader: 'uefi-arm64', reads: U_BOOT_ARM64 }],
  [0x17, { name: '32-bit ARM U-Boot', runs: 'armhf', loader: 'uefi-arm32', isHttp: true }],
  [0x18, { name: '64-bit ARM U-Boot', runs: 'arm64', loader: 'uefi-arm64', isHttp: true }],
]);

export function architectureOf(arch: number): Architecture | undefined {
  return ARCHITECTURES.get(arch);
}
