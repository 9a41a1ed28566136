import type { Plan } from '../plan/plan.ts';
import { folderOf, loadersOf } from './loader-files.ts';
import { languageOf } from './loader-language.ts';
import { readerOf, type ScriptReader } from './script-readers.ts';

/** A script that a loader asks for. */
export type ScriptName = { readonly script: 'ipxe-chain' | 'grub-chain' } | MachineScriptName;

/** `whom`: how the name says whose script it is, '' where it does not. */
export type MachineScriptName =
  | { readonly script: 'ipxe' | 'grub'; readonly whom: string }
  | { readonly script: 'pxelinux'; readonly whom: string; readonly fetches: 'tftp' | 'http' }
  | { readonly script: 'reader'; readonly whom: string; readonly reader: ScriptReader };

/**
 * Where GRUBs look for grub.cfg: /grub is built into those of Debian and Ubuntu made for the network, and is what grub-mknetdir
 * says; the ones for disks have EFI/<vendor>, and Red Hat's look where they came from.
 */
const GRUB_FOLDERS = ['', 'grub', 'grub2', 'boot/grub', 'boot/grub2', 'efi/boot'];
const VENDORS = ['debian', 'ubuntu', 'redhat', 'centos', 'rocky', 'almalinux', 'fedora', 'opensuse', 'sles'];

const READER_SCRIPT = /^pxelinux\.cfg\/([^/]*)$/;

/** Tells scripts from files, by the served path alone. */
export function createScriptNames(plan: Plan): (path: string) => ScriptName | undefined {
  const loaders = loadersOf(plan).map(({ path }) => ({ folder: folderOf(path), language: languageOf(path) }));
  const own = loaders.map(({ folder }) => folder.toLowerCase());
  const grubFolders = new Set([...GRUB_FOLDERS, ...VENDORS.map((vendor) => `efi/${vendor}`), ...own]);
  const ipxeFolders = new Set(['', ...own]);
  const tftpFolders = new Set(['', ...loaders.filter(({ language }) => language === 'pxelinux').map(folderIn)]);
  const httpFolders = new Set([
    'lpxelinux',
    ...loaders.filter(({ language }) => language === 'lpxelinux').map(folderIn),
  ]);

  function pxelinux(folder: string, whom: string): ScriptName | undefined {
    const prefix = /^(?:(.*)\/)?pxelinux\.cfg$/.exec(folder);
    const place = prefix?.[1] ?? '';
    // lpxelinux.0 can do what pxelinux.0 can: where both are, both get what both understand
    const fetches = tftpFolders.has(place) ? 'tftp' : httpFolders.has(place) ? 'http' : undefined;
    return prefix === null || fetches === undefined ? undefined : { script: 'pxelinux', whom, fetches };
  }

  return (path) => {
    const read = readerOf(path);
    const whose = READER_SCRIPT.exec(read?.below ?? '')?.[1];
    if (read && whose !== undefined) return { script: 'reader', whom: whose, reader: read.reader };
    const folder = folderOf(path);
    const name = path.slice(folder === '' ? 0 : folder.length + 1);
    if (path === 'boot.ipxe' || (name === 'autoexec.ipxe' && ipxeFolders.has(folder.toLowerCase())))
      return { script: 'ipxe-chain' };
    if (path.startsWith('ipxe/')) return { script: 'ipxe', whom: path.slice('ipxe/'.length) };
    const grub = /^grub\.cfg(?:-(.*))?$/.exec(name);
    if (grub && grubFolders.has(folder.toLowerCase()))
      return grub[1] === undefined ? { script: 'grub-chain' } : { script: 'grub', whom: grub[1] };
    return pxelinux(folder, name);
  };
}

function folderIn({ folder }: { readonly folder: string }): string {
  return folder;
}
