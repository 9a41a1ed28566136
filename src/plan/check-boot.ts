import { posix } from 'node:path';
import type { BootDraft, EntryDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { withSuggestion } from './nearest-name.ts';
import { bootFilesOf, namesOf, type ImageName, type StoredImages } from './image-shelf.ts';
import { LoaderShelf, type LoaderPlaces } from './loader-shelf.ts';
import {
  BOOT_LOCAL,
  LOADER_KINDS,
  OTHER_ARCHES,
  type BootCatalogue,
  type BootEntry,
  type BootFile,
  type BootFiles,
  type LoaderKind,
  type Loaders,
} from './plan.ts';
import { kernelMisfit, treeMisfit } from './program-kind.ts';
import { checkCommandLine } from './check-command-line.ts';
import { NO_LOADER } from './schema.ts';
import type { Surroundings } from './surroundings.ts';

/** The first that is there is taken. Debian has none for 32-bit x86 and 32-bit ARM, of late one for 64-bit ARM; MAAS has one for POWER. */
const DEFAULT_LOADERS: Readonly<Record<LoaderKind, readonly string[]>> = {
  bios: ['undionly.kpxe'],
  uefi: ['snponly.efi'],
  'uefi-ia32': [],
  'uefi-arm64': ['snponly-arm64.efi', 'ipxe-arm64.efi'],
  'uefi-arm32': [],
  'open-firmware': ['bootppc64.bin'],
};
/** What every rack with something to boot must have, or say `none` to. */
const USUAL_LOADERS: ReadonlySet<LoaderKind> = new Set(['bios', 'uefi']);

/** What boot entries' files are looked for in. */
export interface BootPlaces extends LoaderPlaces {
  readonly stored: StoredImages;
}

const OR_NONE = ', or the word none';

/** What hosts may name, and what of it can be served. */
export interface BootChoices {
  /** Every entry in the file, those that are out of service too; undefined when the list itself could not be read. */
  readonly named: ReadonlySet<string> | undefined;
  readonly usable: ReadonlySet<string>;
  /** Where hosts and classes find loaders of their own; undefined when it is not known where to look. */
  readonly loaders: LoaderShelf | undefined;
}

/** Finds every file on disk; gives the catalogue without what is missing. `places`: absolute, undefined when unknown. */
export function checkBoot(
  book: FaultBook,
  draft: BootDraft,
  places: BootPlaces | undefined,
  surroundings: Surroundings,
): { readonly catalogue: BootCatalogue | undefined; readonly choices: BootChoices } {
  const shelf = places === undefined || book.lost(['boot']) ? undefined : new Shelf(book, places, surroundings);
  const hasEntries = Object.keys(draft.entries).length > 0;
  shelf?.checkDirectory(hasEntries);
  const entries = shelf ? Object.entries(draft.entries).flatMap(([name, entry]) => shelf.entry(name, entry)) : [];
  const isReadable = !book.lost(['boot', 'entries']);
  const named = isReadable ? new Set(Object.keys(draft.entries)) : undefined;
  const choices = { named, usable: new Set(entries.map((entry) => entry.name)), loaders: shelf?.loaderShelf };
  checkChoice(book, ['boot', 'default'], draft.default, choices);
  if (!shelf || draft.default === undefined || draft.exit === undefined) return { catalogue: undefined, choices };
  const loaders = shelf.loaders(draft, hasEntries);
  const fallback = choices.usable.has(draft.default) ? draft.default : BOOT_LOCAL;
  const exit = draft.exit === 'auto' ? {} : { exit: draft.exit };
  return {
    catalogue: { files: shelf.directory, default: fallback, entries, ...loopLimits(draft.loop), loaders, ...exit },
    choices,
  };
}

function loopLimits(loop: BootDraft['loop']): Pick<BootCatalogue, 'loop'> {
  if (loop === undefined || loop === 'off') return {};
  const { boots, within, quiet } = loop;
  return { loop: { boots, withinSeconds: within, quietSeconds: quiet } };
}

/** Reports a name that no entry has; one whose entry is out of service has been reported where that entry stands. */
export function checkChoice(book: FaultBook, path: Path, name: string | undefined, choices: BootChoices): void {
  const { named } = choices;
  if (name === undefined || name === BOOT_LOCAL || !named || named.has(name)) return;
  const known = [BOOT_LOCAL, ...named];
  const expected = named.size === 0 ? 'local, as there are no boot entries' : 'local or the name of a boot entry';
  book.report(path, expected, { found: withSuggestion(name, known, book.document.describe(path)) });
}

/** The files that can be served. */
class Shelf {
  readonly directory: string;
  readonly loaderShelf: LoaderShelf;
  readonly #book: FaultBook;
  readonly #surroundings: Surroundings;
  readonly #isThere: boolean;
  readonly #stored: StoredImages;

  constructor(book: FaultBook, places: BootPlaces, surroundings: Surroundings) {
    this.#book = book;
    this.#stored = places.stored;
    this.directory = places.files;
    this.loaderShelf = new LoaderShelf(book, places, surroundings);
    this.#surroundings = surroundings;
    this.#isThere = surroundings.directoryExists(places.files);
  }

  /** A rack that gets no files from there needs no directory; and one that is not mounted must not stop DHCP. */
  checkDirectory(hasEntries: boolean): void {
    const path = ['boot', 'files'];
    if (this.#isThere || !(hasEntries || this.#book.document.has(path))) return;
    this.#book.report(path, `a directory ${this.directory}`, { found: 'none', scope: 'entry', mayPass: true });
  }

  /** The entry, if all of it can be served. */
  entry(name: string, draft: EntryDraft): BootEntry[] {
    const path = ['boot', 'entries', name];
    if (this.#book.has(path)) return [];
    const files = draft.image === undefined ? this.#ownFiles(path, draft) : this.#imageFiles(path, draft, draft.image);
    if (!files || this.#book.touches(path)) return [];
    const times = {
      ...(draft.once !== undefined && { once: draft.once }),
      ...(draft.loop === 'off' && { isEndless: true as const }),
    };
    return [{ name, ...files, ...times }];
  }

  #ownFiles(path: Path, draft: EntryDraft): BootFiles | undefined {
    const { cmdline } = draft;
    if (draft.kernel === undefined) this.#missKernel(path);
    const kernel =
      draft.kernel === undefined ? undefined : this.#program([...path, 'kernel'], draft.kernel, kernelMisfit);
    const dtb = draft.dtb === undefined ? undefined : this.#program([...path, 'dtb'], draft.dtb, treeMisfit);
    const found = (draft.initrd ?? []).map((file, i) => this.#find(this.#book.element([...path, 'initrd'], i), file));
    if (cmdline !== undefined) checkCommandLine(this.#book, path, { ...draft, cmdline });
    if (!kernel || cmdline === undefined) return undefined;
    return { kernel, initrd: found.filter((file) => file !== undefined), ...(dtb && { dtb }), cmdline };
  }

  /** By the architecture of the machine: x86 is the rule, and what its loader can't tell from it. */
  #imageFiles(
    path: Path,
    draft: EntryDraft,
    image: ImageName,
  ): Pick<BootEntry, keyof BootFiles | 'others'> | undefined {
    const { cmdline } = draft;
    for (const key of ['kernel', 'initrd', 'dtb'] as const) {
      const beside = [...path, key];
      if (draft[key] !== undefined)
        this.#book.report(beside, 'no kernel, initrd or dtb beside image, which has its own');
    }
    if (cmdline === undefined) return undefined;
    const x86 = bootFilesOf(this.#stored, image, 'amd64', cmdline) ?? bootFilesOf(this.#stored, image, 'i386', cmdline);
    const others = OTHER_ARCHES.flatMap((arch) => {
      const each = bootFilesOf(this.#stored, image, arch, cmdline);
      return each ? [[arch, each] as const] : [];
    });
    const files = x86 ?? others[0]?.[1];
    if (!files) {
      const names = namesOf(this.#stored);
      const here = names.length === 0 ? 'none is' : names.join(', ');
      const expected = `an image that is here and boots (${here}; "rackboot images" tells what is missing and why)`;
      this.#book.report([...path, 'image'], expected, { mayPass: true });
      return undefined;
    }
    for (const each of new Set([files, ...others.map(([, other]) => other)])) {
      checkCommandLine(this.#book, path, {
        kernel: each.kernel.path,
        initrd: each.initrd.map((file) => file.path),
        cmdline: each.cmdline,
      });
    }
    const rest = others.filter(([, other]) => other !== files);
    return { ...files, ...(rest.length > 0 && { others: Object.fromEntries(rest) }) };
  }

  /** After a syntax error, that it is missing may be no more than a rumour. */
  #missKernel(path: Path): void {
    const { document } = this.#book;
    if (document.brokenAt !== undefined || this.#book.lost([...path, 'kernel']) || this.#book.has([...path, 'image']))
      return;
    this.#book.report([...path, 'kernel'], 'a path under boot.files like debian/vmlinuz, or image in its place');
  }

  /**
   * A loader that is named must be there. One that is not named must be there as soon as there is something to boot:
   * a rack can not know that it will never see a BIOS machine, but its operator can say so with `bios: none`.
   */
  loaders(draft: BootDraft, hasEntries: boolean): Loaders {
    const found = LOADER_KINDS.flatMap((kind) => {
      const loader = this.#loader(kind, draft.loaders[kind], hasEntries && USUAL_LOADERS.has(kind));
      return loader ? [[kind, loader] as const] : [];
    });
    return Object.fromEntries(found);
  }

  #loader(kind: LoaderKind, written: string | undefined, isNeeded: boolean): BootFile | undefined {
    const path = ['boot', 'loaders', kind];
    if (written === NO_LOADER || this.#book.lost(path)) return undefined;
    if (written !== undefined) return this.loaderShelf.loader(path, kind, [written], true, OR_NONE);
    return this.loaderShelf.loader(path, kind, DEFAULT_LOADERS[kind], isNeeded, OR_NONE);
  }

  /** A file that is there, and by its first bytes is what it is meant to be. */
  #program(path: Path, served: string, misfitOf: typeof kernelMisfit): BootFile | undefined {
    const found = this.#find(path, served);
    const bytes = found && this.#surroundings.firstBytes?.(found.file);
    const misfit = bytes && misfitOf(bytes);
    if (!misfit) return found;
    this.#book.report(path, misfit.expected, { found: `${found.file}, ${misfit.found}` });
    return undefined;
  }

  #find(path: Path, served: string): BootFile | undefined {
    const file = posix.join(this.directory, served);
    if (this.#surroundings.fileExists(file)) return { path: served, file };
    // The missing directory is reported once, not for each file in it.
    if (this.#isThere) this.#book.report(path, `a readable file ${file}`, { found: 'none', mayPass: true });
    return undefined;
  }
}
