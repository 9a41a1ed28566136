import type { LoaderKind, OtherArch } from '../plan/plan.ts';

/** A kind of firmware that this rack has a loader for, if it is on disk. */
export interface Architecture {
  readonly name: string;
  /** Whose files of an image are for it. Default: x86. */
  readonly runs?: OtherArch;
  readonly loader: LoaderKind;
  /** It fetches by HTTP. */
  readonly isHttp?: true;
}

/**
 * IANA "Processor Architecture Types", as far as this rack has loaders for them. 9 is missing: what it means is
 * disputed, and the quirk arch-9-is-x64 decides.
 */
const ARCHITECTURES: ReadonlyMap<number, Architecture> = new Map<number, Architecture>([
  [0x00, { name: 'x86 BIOS', loader: 'bios' }],
  [0x06, { name: '32-bit x86 UEFI', loader: 'uefi-ia32' }],
  [0x07, { name: 'x86-64 UEFI', loader: 'uefi' }],
  [0x0b, { name: '64-bit ARM UEFI', runs: 'arm64', loader: 'uefi-arm64' }],
  [0x0f, { name: '32-bit x86 UEFI', loader: 'uefi-ia32', isHttp: true }],
  [0x10, { name: 'x86-64 UEFI', loader: 'uefi', isHttp: true }],
  [0x13, { name: '64-bit ARM UEFI', runs: 'arm64', loader: 'uefi-arm64', isHttp: true }],
  // U-Boot starts EFI programs itself (its `bootefi`)
  [0x16, { name: '64-bit ARM U-Boot', runs: 'arm64', loader: 'uefi-arm64' }],
  [0x18, { name: '64-bit ARM U-Boot', runs: 'arm64', loader: 'uefi-arm64', isHttp: true }],
]);

export function architectureOf(arch: number): Architecture | undefined {
  return ARCHITECTURES.get(arch);
}
