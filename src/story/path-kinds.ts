import { filesOfEntry, formsOf } from '../boot/entry-files.ts';
import { filesOf, loadersOf } from '../boot/loader-files.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import { createScriptNames } from '../boot/script-names.ts';
import type { Plan } from '../plan/plan.ts';

/** What a file is in the course of a boot; `file`: anything else that is served. */
export type PathKind = 'loader' | 'script' | 'kernel' | 'initrd' | 'file';

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
  for (const { path } of plan.boot.entries.flatMap(filesOfEntry)) kinds.set(path, 'initrd');
  for (const [kernel, ...initrd] of plan.boot.entries.flatMap(formsOf)) {
    if (kernel) kinds.set(kernel.path, 'kernel');
    if (kernel && initrd.length === 0) alone.add(kernel.path);
  }
  for (const { path } of loadersOf(plan).flatMap(filesOf)) kinds.set(path, 'loader');
  const scriptName = createScriptNames(plan);

  return {
    kindOf(raw) {
      const path = bare(raw);
      return kinds.get(path) ?? (scriptName(path) === undefined ? 'file' : 'script');
    },
    hasInitrd: (kernel) => !alone.has(bare(kernel)),
  };
}

/** As it is served: HTTP tells it as it was asked for, with a slash ahead, signs encoded, and a query that is no part of it. */
export function bare(path: string): string {
  const asked = path.replace(/\?.*$/s, '');
  return normalizePath(asked.startsWith('/') ? decoded(asked) : asked) ?? path;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
