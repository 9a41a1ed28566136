import type { LoaderKind } from './plan.ts';

/** The loaders that a short word stands for, by the kind of firmware: the path each is served under. */
export const LOADER_WORDS: Readonly<Record<LoaderKind, Readonly<Record<string, string>>>> = {
  bios: {
    undionly: 'undionly.kpxe',
    ipxe: 'ipxe.pxe',
    pxelinux: 'pxelinux.0',
    // Asks for its configuration beside itself: in a folder of its own it is told from the one without HTTP
    lpxelinux: 'lpxelinux/lpxelinux.0',
  },
  uefi: { snponly: 'snponly.efi', ipxe: 'ipxe.efi', shim: 'shimx64.efi', grub: 'grubx64.efi' },
  'uefi-ia32': { grub: 'grubia32.efi' },
  'uefi-arm64': { snponly: 'snponly-arm64.efi', ipxe: 'ipxe-arm64.efi', shim: 'shimaa64.efi', grub: 'grubaa64.efi' },
};

/** What a loader asks for by itself, in its own folder. */
interface Companions {
  readonly needs: readonly string[];
  /** Only sometimes, and it does without: shim's key manager. */
  readonly uses?: readonly string[];
}

/** shim 16.1 has `\\grubx64.efi` and `\mmx64.efi` in it; LOCALBOOT aside, PXELINUX 6 starts a disk by chain.c32. */
const PXELINUX: Companions = { needs: ['ldlinux.c32', 'chain.c32', 'libcom32.c32', 'libutil.c32'] };
export const COMPANIONS: ReadonlyMap<string, Companions> = new Map([
  ['shimx64.efi', { needs: ['grubx64.efi'], uses: ['mmx64.efi'] }],
  ['shimaa64.efi', { needs: ['grubaa64.efi'], uses: ['mmaa64.efi'] }],
  ['pxelinux.0', PXELINUX],
  ['lpxelinux.0', PXELINUX],
]);

export interface DebianFile {
  readonly package: string;
  /** Absolute; the first that is there is taken. */
  readonly places: readonly string[];
}

/** Where Debian's packages have the files, by the last part of the path each is served under. */
export const DEBIAN_FILES: ReadonlyMap<string, DebianFile> = new Map([
  ...['undionly.kpxe', 'ipxe.pxe', 'snponly.efi', 'ipxe.efi', 'snponly-arm64.efi', 'ipxe-arm64.efi'].map((name) =>
    debianFile(name, 'ipxe', `/usr/lib/ipxe/${name}`),
  ),
  ...['x64', 'aa64'].map((arch) =>
    debianFile(`shim${arch}.efi`, 'shim-signed', `/usr/lib/shim/shim${arch}.efi.signed`),
  ),
  debianFile('mmx64.efi', 'shim-helpers-amd64-signed', '/usr/lib/shim/mmx64.efi.signed', '/usr/lib/shim/mmx64.efi'),
  debianFile('mmaa64.efi', 'shim-helpers-arm64-signed', '/usr/lib/shim/mmaa64.efi.signed', '/usr/lib/shim/mmaa64.efi'),
  debianFile(
    'grubx64.efi',
    'grub-efi-amd64-signed',
    '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
    '/usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi',
  ),
  debianFile(
    'grubaa64.efi',
    'grub-efi-arm64-signed',
    '/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed',
    '/usr/lib/grub/arm64-efi/monolithic/grubnetaa64.efi',
  ),
  debianFile('grubia32.efi', 'grub-efi-ia32-bin', '/usr/lib/grub/i386-efi/monolithic/grubnetia32.efi'),
  ...['pxelinux.0', 'lpxelinux.0'].map((name) => debianFile(name, 'pxelinux', `/usr/lib/PXELINUX/${name}`)),
  ...PXELINUX.needs.map((name) => debianFile(name, 'syslinux-common', `/usr/lib/syslinux/modules/bios/${name}`)),
]);

function debianFile(name: string, from: string, ...places: readonly string[]): readonly [string, DebianFile] {
  return [name, { package: from, places }];
}
