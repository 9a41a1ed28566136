import type { BootFile, Loader, Plan } from '../plan/plan.ts';

/** Every loader that the Plan can give to somebody. */
export function loadersOf({ boot, hosts, classes = [] }: Plan): readonly Loader[] {
  return [boot, ...hosts, ...classes].flatMap(({ loaders = {} }) => Object.values(loaders));
}

/** A loader and what it asks for by itself. */
export function filesOf(loader: Loader): readonly BootFile[] {
  return [loader, ...(loader.companions ?? [])];
}

/** The part of a served path before its last segment, without a slash at the end; '' at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
