import { OTHER_ARCHES, type BootEntry, type BootFile, type BootFiles, type OtherArch } from '../plan/plan.ts';

/** What machines of this architecture are given of an entry; 'x86' for all that have no files of their own. */
export function filesFor(entry: BootEntry, arch: OtherArch | 'x86'): BootFiles {
  return (arch === 'x86' ? undefined : entry.others?.[arch]) ?? entry;
}

/** What is only for machines of one other architecture. */
export function othersOf({ others = {} }: BootEntry): readonly (readonly [OtherArch, BootFiles])[] {
  return OTHER_ARCHES.flatMap((arch) => (others[arch] ? [[arch, others[arch]] as const] : []));
}

/**
 * What a machine has to fetch of an entry: one list for each kind of machine, which fetches all of one. No device tree: many a
 * loader takes none, and boots all the same.
 */
export function formsOf(entry: BootEntry): readonly (readonly BootFile[])[] {
  return everyKind(entry).map(({ kernel, initrd }) => [kernel, ...initrd]);
}

/** All that some machine may fetch of an entry. */
export function filesOfEntry(entry: BootEntry): readonly BootFile[] {
  return [...formsOf(entry).flat(), ...treesOf(entry)];
}

/** The device trees of an entry. */
function treesOf(entry: BootEntry): readonly BootFile[] {
  return everyKind(entry).flatMap(({ dtb }) => dtb ?? []);
}

function everyKind(entry: BootEntry): readonly BootFiles[] {
  return [entry, ...othersOf(entry).map(([, files]) => files)];
}
