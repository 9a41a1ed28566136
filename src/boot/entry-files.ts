import type { BootEntry, BootFile, BootFiles } from '../plan/plan.ts';

/** What a machine fetches of an entry: one list for each kind of machine, which fetches all of one. */
export function formsOf(entry: BootEntry): readonly (readonly BootFile[])[] {
  return [entry, ...(entry.arm64 ? [entry.arm64] : [])].map(({ kernel, initrd }: BootFiles) => [kernel, ...initrd]);
}

export function filesOfEntry(entry: BootEntry): readonly BootFile[] {
  return formsOf(entry).flat();
}
