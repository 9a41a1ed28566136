import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseDocument } from 'yaml';

import { importedLoaders, storedImages } from '../plan/image-shelf.ts';
import { loaderSetFor, type LoaderSet } from '../plan/loader-set.ts';
import { installedLoaders } from '../plan/loader-shelf.ts';
import { COMPANIONS, DEBIAN_FILES, LOADER_WORDS } from '../plan/loader-table.ts';
import { LOADER_KINDS, type LoaderKind } from '../plan/plan.ts';
import { createSurvey } from '../rack/surroundings.ts';

/** Where loaders are looked for, in this order, with Debian's packages after the installed ones. */
export interface LoaderDirectories {
  readonly files: string;
  readonly installed: string;
  /** Imported with images, the best first; looked for last, and then all that belongs together in one of them. */
  readonly imported?: readonly LoaderSet[];
}

/** One loader that a word stands for, and where each of its files was found. */
export interface LoaderLine {
  readonly firmware: LoaderKind;
  readonly word: string;
  readonly files: readonly { readonly path: string; readonly found?: string; readonly package?: string }[];
}

/** Read leniently: loaders are wanted before the file is whole. */
export function loaderDirectories(config: string): LoaderDirectories {
  const [state = '/var/lib/rackboot', files] = textsAt(config, ['rack', 'state'], ['boot', 'files']);
  const imported = importedLoaders(storedImages(state, createSurvey()()));
  return { files: files ?? join(state, 'files'), installed: installedLoaders(state), imported };
}

/** Every loader that has a word, in the order of the table. */
export function loaderInventory(directories: LoaderDirectories): LoaderLine[] {
  return LOADER_KINDS.flatMap((firmware) =>
    Object.entries(LOADER_WORDS[firmware]).map(([word, path]) => ({
      firmware,
      word,
      files: filesOfWord(path, directories),
    })),
  );
}

function filesOfWord(path: string, directories: LoaderDirectories): LoaderLine['files'] {
  const paths = withCompanions(path);
  const found = paths.map((each) => ({ path: each, ...whereIs(each, directories) }));
  if (found[0]?.found !== undefined) return found;
  const set = loaderSetFor(nameOf(path), directories.imported ?? []);
  return found.map((each) => {
    const file = set?.get(nameOf(each.path));
    return file !== undefined && isReadable(file) ? { ...each, found: file } : each;
  });
}

function withCompanions(path: string): string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const { needs = [], uses = [] } = COMPANIONS.get(path.slice(folder.length)) ?? {};
  return [path, ...[...needs, ...uses].map((name) => folder + name)];
}

function whereIs(path: string, { files, installed }: LoaderDirectories): { found?: string; package?: string } {
  const name = nameOf(path);
  const debian = DEBIAN_FILES.get(name);
  const found = [join(files, path), join(installed, name), ...(debian?.places ?? [])].find(isReadable);
  return { ...(found !== undefined && { found }), ...(debian && { package: debian.package }) };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function textsAt(config: string, ...paths: readonly (readonly string[])[]): (string | undefined)[] {
  try {
    const document = parseDocument(readFileSync(config, 'utf8'));
    return paths.map((path) => document.getIn(path)).map((value) => (typeof value === 'string' ? value : undefined));
  } catch {
    return [];
  }
}
