import { formsOf, treesOf } from '../boot/entry-files.ts';
import { filesOf, loadersOf } from '../boot/loader-files.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import { createScriptNames } from '../boot/script-names.ts';
import { readerOf } from '../boot/script-readers.ts';
import type { Plan } from '../plan/plan.ts';

/** What a file is in the course of a boot; `file`: anything else that is served. */
export type PathKind = 'loader' | 'script' | 'kernel' | 'initrd' | 'dtb' | 'file';

/** Tells what the files of events are by this Plan. */
export interface PathKinds {
  /** Of a path as events have it, of TFTP or HTTP. */
  kindOf(path: string): PathKind;
  /** Whether a machine that has fetched this kernel is to fetch an initrd too. */
  hasInitrd(kernel: string): boolean;
}

export function createPathKinds(plan: Plan): PathKinds {
  const kinds = new Map<string, PathKind>();
  const alone = new Set<string>();
  for (const { path } of plan.boot.entries.flatMap(treesOf)) kinds.set(path, 'dtb');
  for (const { path } of plan.boot.entries.flatMap(formsOf).flat()) kinds.set(path, 'initrd');
  for (const [kernel, ...initrd] of plan.boot.entries.flatMap(formsOf)) {
    if (kernel) kinds.set(kernel.path, 'kernel');
    if (kernel && initrd.length === 0) alone.add(kernel.path);
  }
  for (const { path } of loadersOf(plan).flatMap(filesOf)) kinds.set(path, 'loader');
  const scriptName = createScriptNames(plan);

  return {
    kindOf(raw) {
      const path = bare(raw);
      return (
        kinds.get(path) ??
        kinds.get(readerOf(path)?.below ?? '') ??
        (scriptName(path) === undefined ? 'file' : 'script')
      );
    },
    hasInitrd: (kernel) => !alone.has(readerOf(bare(kernel))?.below ?? bare(kernel)),
  };
}

/** As it is served: HTTP tells it with a slash ahead, and what a machine asks behind a question mark is no part of it. */
export function bare(path: string): string {
  return normalizePath(path.replace(/\?.*$/s, '')) ?? path;
}
