import { formatMac, type Mac } from '../addr/mac.ts';

/** Whose words a machine's script is in: that of the loader that asks for it. */
export type LoaderLanguage = 'ipxe' | 'grub' | 'pxelinux' | 'lpxelinux';

const BEGINNINGS: readonly (readonly [string, LoaderLanguage])[] = [
  ['shim', 'grub'],
  ['grub', 'grub'],
  // How MAAS calls GRUB for POWER
  ['bootppc64', 'grub'],
  ['pxelinux', 'pxelinux'],
  ['lpxelinux', 'lpxelinux'],
];

/**
 * What the loader at this served path is, by the beginning of its file name. Any other is taken for an iPXE, which is the safe
 * side: an iPXE is never given an iPXE again.
 */
export function languageOf(path: string): LoaderLanguage {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return BEGINNINGS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? 'ipxe';
}

/** Where the loader at this served path finds the script of a machine. */
export function scriptPath(loader: string, mac: Mac): string {
  const folder = loader.slice(0, loader.lastIndexOf('/') + 1);
  switch (languageOf(loader)) {
    case 'ipxe':
      return `ipxe/${formatMac(mac, '-')}`;
    case 'grub':
      return `grub/grub.cfg-${formatMac(mac)}`;
    case 'pxelinux':
    case 'lpxelinux':
      return `${folder}pxelinux.cfg/01-${formatMac(mac, '-')}`;
  }
}
