import { COMPANIONS } from './loader-table.ts';

/** The programs of one version of an imported loader, by the name each is served under: the file on disk. */
export type LoaderSet = ReadonlyMap<string, string>;

/**
 * The first of `sets` that has this program and all that it starts. A chain is of one version and one signer: a shim starts no GRUB
 * that another key has signed, and PXELINUX no module of another version. What is itself started by another comes from a set that has
 * both, if any does: it is served under one path to whoever asks.
 */
export function loaderSetFor(name: string, sets: readonly LoaderSet[]): LoaderSet | undefined {
  const starters = [...COMPANIONS].filter(([, { needs }]) => needs.includes(name)).map(([starter]) => starter);
  const chained = sets.find((set) => starters.some((starter) => isWhole(set, starter)));
  return chained?.has(name) ? chained : sets.find((set) => isWhole(set, name));
}

function isWhole(set: LoaderSet, name: string): boolean {
  const { needs } = COMPANIONS.get(name) ?? { needs: [] };
  return [name, ...needs].every((each) => set.has(each));
}
