import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { COMPANIONS, DEBIAN_FILES, LOADER_WORDS } from '../plan/loader-table.ts';
import type { LoaderKind } from '../plan/plan.ts';
import { BOARDS, type Firmware, type GuestArchitecture } from './firmware.ts';
import { cacheDirectory } from './guest-files.ts';
import { LabError } from './lab-error.ts';
import type { Say } from './say.ts';
import { fillDirectory, openApt, unpackPackages } from './unpack-packages.ts';

/** What the rack gives the machine's firmware, in the words of `boot.loaders`; `none` where the machine brings its own iPXE. */
export type LabLoader = 'none' | 'undionly' | 'snponly' | 'ipxe' | 'shim' | 'grub' | 'pxelinux' | 'lpxelinux';

/** Which loaders a firmware can be given here; the first is the usual one. */
interface Choice {
  readonly kind: LoaderKind;
  readonly loaders: readonly LabLoader[];
}

const CHOICES: Readonly<Record<Firmware, Choice>> = {
  bios: { kind: 'bios', loaders: ['none', 'pxelinux', 'lpxelinux'] },
  'bios-pxe': { kind: 'bios', loaders: ['undionly', 'pxelinux', 'lpxelinux'] },
  uefi: { kind: 'uefi', loaders: ['snponly', 'ipxe', 'shim', 'grub'] },
  // Debian's GRUB takes its address and its server from PXE alone: started by HTTP, it stops at its prompt
  'uefi-http': { kind: 'uefi', loaders: ['snponly', 'ipxe'] },
  'secure-boot': { kind: 'uefi', loaders: ['shim'] },
  'uefi-ia32': { kind: 'uefi-ia32', loaders: ['grub'] },
  arm64: { kind: 'uefi-arm64', loaders: ['shim', 'grub'] },
  'arm64-secure-boot': { kind: 'uefi-arm64', loaders: ['shim'] },
};

/** A loader as it is on this computer. */
export interface FetchedLoader {
  /** What `boot.loaders` says, so that the rack offers it and no other. */
  readonly config: Readonly<Record<string, string>>;
  /** Where `rackboot loaders install` would take each from, by the name it would give it. */
  readonly files: ReadonlyMap<string, string>;
}

export function loadersFor(firmware: Firmware): readonly LabLoader[] {
  return CHOICES[firmware].loaders;
}

/**
 * The loader's files and those it asks for by itself, unpacked from their packages into the cache and not installed: a boot
 * loader's package may set up this computer's own boot. What was fetched once is used from then on.
 * @throws LabError when they can't be had
 */
export async function fetchLoader(
  firmware: Firmware,
  loader: LabLoader,
  say: Say,
  signal?: AbortSignal,
): Promise<FetchedLoader> {
  const config = { bios: 'none', uefi: 'none', [CHOICES[firmware].kind]: loader };
  const files = new Map<string, string>();
  for (const name of loaderFiles(firmware, loader)) {
    files.set(name, await fetchFile(name, BOARDS[firmware].architecture, say, signal));
  }
  return { config, files };
}

/** The names of the file that a word stands for, and of those it needs; none for a word that stands for nothing there. */
export function loaderFiles(firmware: Firmware, loader: LabLoader): readonly string[] {
  const served = LOADER_WORDS[CHOICES[firmware].kind][loader];
  if (served === undefined) return [];
  const name = basename(served);
  return [name, ...(COMPANIONS.get(name)?.needs ?? [])];
}

async function fetchFile(
  name: string,
  architecture: GuestArchitecture,
  say: Say,
  signal?: AbortSignal,
): Promise<string> {
  const from = DEBIAN_FILES.get(name);
  if (from === undefined) throw new LabError(`no Debian package is known for ${name}`);
  const lab = join(cacheDirectory(), 'lab');
  const root = join(lab, `${from.package}-${architecture}`);
  if (!(await isThere(root))) {
    say(`fetching the Debian package ${from.package} for the loader`);
    const apt = await openApt(architecture, join(lab, architecture), signal);
    await fillDirectory(root, (work) => unpackPackages(apt, [from.package], work, signal));
  }
  for (const place of from.places) if (await isThere(join(root, place))) return join(root, place);
  throw new LabError(`the Debian package ${from.package}, unpacked in ${root}, has no ${from.places.join(' and no ')}`);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
