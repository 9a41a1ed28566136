import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firmware, GuestArchitecture } from './firmware.ts';
import { cacheDirectory } from './guest-files.ts';
import { LabError } from './lab-error.ts';
import type { Say } from './say.ts';
import { fillDirectory, openApt, unpackPackages } from './unpack-packages.ts';

/** What the lab machine's firmware gets from the rack. `grub`: behind shim, where Debian has a signed one. */
const LOADERS = ['ipxe', 'grub', 'pxelinux', 'lpxelinux'] as const;
export type Loader = (typeof LOADERS)[number];

/** As it is on this computer. */
export interface FetchedLoader {
  /** What `boot.loaders` says, so that the rack offers it. */
  readonly config: Readonly<Record<string, string>>;
  /** Served path → file. */
  readonly files: readonly (readonly [string, string])[];
}

/** A loader's files: served path → path inside the unpacked packages. The first is what the firmware is told to fetch. */
interface LoaderFiles {
  readonly architecture: GuestArchitecture;
  readonly packages: readonly string[];
  readonly files: readonly (readonly [string, string])[];
}

const SHIM_GRUB: LoaderFiles = {
  architecture: 'amd64',
  packages: ['shim-signed', 'grub-efi-amd64-signed'],
  files: [
    ['shimx64.efi', 'usr/lib/shim/shimx64.efi.signed'],
    ['grubx64.efi', 'usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed'],
  ],
};
const GRUB_IA32: LoaderFiles = {
  architecture: 'amd64',
  packages: ['grub-efi-ia32-bin'],
  files: [['grubia32.efi', 'usr/lib/grub/i386-efi/monolithic/grubnetia32.efi']],
};
const SHIM_GRUB_ARM64: LoaderFiles = {
  architecture: 'arm64',
  packages: ['shim-signed', 'grub-efi-arm64-signed'],
  files: [
    ['shimaa64.efi', 'usr/lib/shim/shimaa64.efi.signed'],
    ['grubaa64.efi', 'usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed'],
  ],
};

function ipxe(name: string): LoaderFiles {
  return { architecture: 'amd64', packages: ['ipxe'], files: [[name, `usr/lib/ipxe/${name}`]] };
}

function pxelinux(first: string): LoaderFiles {
  return {
    architecture: 'amd64',
    packages: ['pxelinux', 'syslinux-common'],
    files: [
      [first, `usr/lib/PXELINUX/${first}`],
      ['ldlinux.c32', 'usr/lib/syslinux/modules/bios/ldlinux.c32'],
    ],
  };
}

/** What there is. The iPXE in a BIOS machine's card runs the script itself and so never gets another loader. */
const TABLE: Readonly<Record<Firmware, Readonly<Partial<Record<Loader, LoaderFiles>>>>> = {
  bios: { ipxe: ipxe('undionly.kpxe') },
  'bios-pxe': { ipxe: ipxe('undionly.kpxe'), pxelinux: pxelinux('pxelinux.0'), lpxelinux: pxelinux('lpxelinux.0') },
  uefi: { ipxe: ipxe('snponly.efi'), grub: SHIM_GRUB },
  // Debian's GRUB takes its address and its server from PXE alone: started by HTTP, it stops at its prompt
  'uefi-http': { ipxe: ipxe('snponly.efi') },
  'secure-boot': { grub: SHIM_GRUB },
  'uefi-ia32': { grub: GRUB_IA32 },
  arm64: { grub: SHIM_GRUB_ARM64 },
};
/** The key of `boot.loaders` in the config. */
const KINDS: Readonly<Record<Firmware, string>> = {
  bios: 'bios',
  'bios-pxe': 'bios',
  uefi: 'uefi',
  'uefi-http': 'uefi',
  'secure-boot': 'uefi',
  'uefi-ia32': 'uefi-ia32',
  arm64: 'uefi-arm64',
};

/** The loaders that a firmware can be given here; the first is the usual one. */
export function loadersFor(firmware: Firmware): readonly Loader[] {
  return LOADERS.filter((loader) => TABLE[firmware][loader] !== undefined);
}

/**
 * The loader's files, unpacked from their packages into the cache and not installed: a boot loader's package may set up this
 * computer's own boot. What was fetched once is used from then on.
 * @throws LabError when they can't be had
 */
export async function fetchLoader(
  firmware: Firmware,
  loader: Loader,
  say: Say,
  signal?: AbortSignal,
): Promise<FetchedLoader> {
  const wanted = TABLE[firmware][loader];
  if (wanted === undefined) throw new LabError(`there is no ${loader} for ${firmware}`);
  const { architecture, packages, files } = wanted;
  const lab = join(cacheDirectory(), 'lab');
  const root = join(lab, `${packages.join('+')}-${architecture}`);
  if (!(await isThere(root))) {
    say(`fetching Debian packages for the loader: ${packages.join(' ')}`);
    const apt = await openApt(architecture, join(lab, architecture), signal);
    await fillDirectory(root, (work) => unpackPackages(apt, packages, work, signal));
  }
  const [first] = files;
  return {
    config: first === undefined ? {} : { [KINDS[firmware]]: first[0] },
    files: files.map(([served, from]) => [served, join(root, from)]),
  };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
