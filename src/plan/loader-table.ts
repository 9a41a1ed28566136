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
  // Debian has GRUB's modules for these, and no program made of them: grub-mknetdir makes one
  'uefi-arm32': {},
  'open-firmware': {},
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
  /** The package is another one for each architecture: whose file it is, as Debian calls it. */
  readonly architecture?: 'amd64' | 'arm64';
  /** Absolute; the first that is there is taken. */
  readonly places: readonly string[];
}

/** Where Debian's packages have the files, by the last part of the path each is served under. */
export const DEBIAN_FILES: ReadonlyMap<string, DebianFile> = new Map([
  // Debian 12 has only a link in /usr/lib/ipxe for ipxe.efi, absolute, which leads nowhere in a package that is unpacked aside
  ...['undionly.kpxe', 'ipxe.pxe', 'snponly.efi', 'ipxe.efi', 'snponly-arm64.efi', 'ipxe-arm64.efi'].map(
    (name): [string, DebianFile] => [name, { package: 'ipxe', places: [`/usr/lib/ipxe/${name}`, `/boot/${name}`] }],
  ),
  ...secureBootFiles('amd64', 'x64', 'x86_64-efi'),
  ...secureBootFiles('arm64', 'aa64', 'arm64-efi'),
  [
    'grubia32.efi',
    {
      package: 'grub-efi-ia32-bin',
      architecture: 'amd64',
      places: ['/usr/lib/grub/i386-efi/monolithic/grubnetia32.efi'],
    },
  ],
  ...['pxelinux.0', 'lpxelinux.0'].map((name): [string, DebianFile] => [
    name,
    { package: 'pxelinux', places: [`/usr/lib/PXELINUX/${name}`] },
  ]),
  ...PXELINUX.needs.map((name): [string, DebianFile] => [
    name,
    { package: 'syslinux-common', places: [`/usr/lib/syslinux/modules/bios/${name}`] },
  ]),
]);

/** `efi`: the ending of EFI programs for it; `folder`: what GRUB calls it. */
function secureBootFiles(architecture: 'amd64' | 'arm64', efi: string, folder: string): [string, DebianFile][] {
  const shim = '/usr/lib/shim';
  const grub = `/usr/lib/grub/${folder}`;
  return [
    [`shim${efi}.efi`, { package: 'shim-signed', architecture, places: [`${shim}/shim${efi}.efi.signed`] }],
    [
      `mm${efi}.efi`,
      {
        package: `shim-helpers-${architecture}-signed`,
        architecture,
        places: [`${shim}/mm${efi}.efi.signed`, `${shim}/mm${efi}.efi`],
      },
    ],
    [
      `grub${efi}.efi`,
      {
        package: `grub-efi-${architecture}-signed`,
        architecture,
        places: [`${grub}-signed/grubnet${efi}.efi.signed`, `${grub}/monolithic/grubnet${efi}.efi`],
      },
    ],
  ];
}
