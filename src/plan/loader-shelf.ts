import { posix } from 'node:path';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { loaderSetFor, type LoaderSet } from './loader-set.ts';
import { COMPANIONS, DEBIAN_FILES, LOADER_WORDS } from './loader-table.ts';
import { LOADER_KINDS, type BootFile, type Loader, type LoaderKind, type Loaders } from './plan.ts';
import { loaderMisfit } from './program-kind.ts';
import type { Surroundings } from './surroundings.ts';

/** Where loaders are, besides Debian's packages: `boot.files`, and what `rackboot loaders install` fills. */
export interface LoaderPlaces {
  readonly files: string;
  readonly installed: string;
  /** Imported with images; the best first. Absent: none. */
  readonly imported?: readonly LoaderSet[];
}

/** For loaders of the operator's own; everything of Debian's package ipxe may be named. */
const IPXE_DIRECTORY = '/usr/lib/ipxe';

/** The folder of the rack's state that `rackboot loaders install` fills. */
export function installedLoaders(state: string): string {
  return posix.join(state, 'loaders');
}

/** The loaders on disk, each with the files it asks for by itself. */
export class LoaderShelf {
  readonly #book: FaultBook;
  readonly #places: LoaderPlaces;
  readonly #surroundings: Surroundings;

  constructor(book: FaultBook, places: LoaderPlaces, surroundings: Surroundings) {
    this.#book = book;
    this.#places = places;
    this.#surroundings = surroundings;
  }

  /** Of a mapping like `{ uefi: shim }` at `path`; each that can't be served is reported. */
  named(path: Path, written: Readonly<Partial<Record<LoaderKind, string | undefined>>>): Loaders {
    return Object.fromEntries(
      LOADER_KINDS.flatMap((kind) => {
        const name = written[kind];
        const loader = name === undefined ? undefined : this.loader([...path, kind], kind, [name]);
        return loader ? [[kind, loader] as const] : [];
      }),
    );
  }

  /** The first of `names` that is there; `isNeeded`: its absence is a fault, which `orElse` says how else to mend. */
  loader(path: Path, kind: LoaderKind, names: readonly string[], isNeeded = true, orElse = ''): Loader | undefined {
    const paths = names.map((name) => servedPath(kind, name));
    const found = paths.flatMap((served) => this.#find(served) ?? []).at(0);
    if (!found) {
      if (isNeeded) this.#reportMissing(path, kind, paths, orElse);
      return undefined;
    }
    if (!this.#fits(path, kind, found)) return undefined;
    return this.#withCompanions(path, kind, found, orElse);
  }

  #withCompanions(path: Path, kind: LoaderKind, loader: BootFile, orElse: string): Loader | undefined {
    const { needs, uses = [] } = COMPANIONS.get(posix.basename(loader.path)) ?? { needs: [] };
    if (needs.length === 0) return loader;
    const companions: BootFile[] = [];
    const set = this.#importedSet(posix.basename(loader.path));
    const isImported = set?.get(posix.basename(loader.path)) === loader.file;
    for (const name of [...needs, ...uses]) {
      const served = posix.join(posix.dirname(loader.path), name);
      const file = isImported ? fileOf(set, name, served) : this.#find(served, true);
      if (file && !(name.endsWith('.efi') && !this.#fits(path, kind, file))) companions.push(file);
      else if (!file && needs.includes(name)) this.#reportMissing(path, kind, [served], orElse, ` for ${loader.path}`);
    }
    return needs.every((name) => companions.some((file) => posix.basename(file.path) === name))
      ? { ...loader, companions }
      : undefined;
  }

  #find(served: string, isCompanion = false): BootFile | undefined {
    const file = this.#candidates(served, isCompanion).find((each) => this.#surroundings.fileExists(each));
    return file === undefined ? undefined : { path: served, file };
  }

  #candidates(served: string, isCompanion: boolean): readonly string[] {
    const { files, installed } = this.#places;
    const own = posix.join(files, served);
    const name = posix.basename(served);
    if (!isCompanion && !isWellKnown(served)) return [own, posix.join(IPXE_DIRECTORY, served)];
    // What an imported loader starts comes with it, and starts nothing else: see #withCompanions
    const imported = isCompanion ? undefined : this.#importedSet(name)?.get(name);
    return [
      own,
      posix.join(installed, name),
      ...(DEBIAN_FILES.get(name)?.places ?? [posix.join(IPXE_DIRECTORY, name)]),
      ...(imported === undefined ? [] : [imported]),
    ];
  }

  #importedSet(name: string): LoaderSet | undefined {
    return loaderSetFor(name, this.#places.imported ?? []);
  }

  #fits(path: Path, kind: LoaderKind, { file }: BootFile): boolean {
    const bytes = this.#surroundings.firstBytes?.(file);
    const misfit = bytes && loaderMisfit(kind, bytes);
    if (misfit) this.#book.report(path, misfit.expected, { found: `${file}, ${misfit.found}` });
    return misfit === undefined;
  }

  #reportMissing(path: Path, kind: LoaderKind, paths: readonly string[], orElse: string, whose = ''): void {
    const { files, installed } = this.#places;
    const from = DEBIAN_FILES.get(posix.basename(paths[0] ?? ''));
    const debian = from
      ? `${posix.dirname(from.places[0] ?? '')} (Debian package ${from.package})`
      : `${IPXE_DIRECTORY} (Debian package ipxe)`;
    const isWord = paths.some((each) => !/[./]/.test(each)) && Object.keys(LOADER_WORDS[kind]).length > 0;
    const words = isWord ? `, or one of the words ${Object.keys(LOADER_WORDS[kind]).join(', ')}` : '';
    const expected = `${paths.join(' or ')}${whose} in ${files}, ${installed} or ${debian}${words}${orElse}`;
    this.#book.report(path, expected, { found: 'no readable file', mayPass: true });
  }
}

function fileOf(set: LoaderSet, name: string, served: string): BootFile | undefined {
  const file = set.get(name);
  return file === undefined ? undefined : { path: served, file };
}

function servedPath(kind: LoaderKind, name: string): string {
  const words = LOADER_WORDS[kind];
  return (Object.hasOwn(words, name) ? words[name] : undefined) ?? name;
}

/** A folder of the operator's own is not looked for elsewhere. */
function isWellKnown(served: string): boolean {
  return !served.includes('/') || Object.values(LOADER_WORDS).some((words) => Object.values(words).includes(served));
}
