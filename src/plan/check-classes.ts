import { checkOptions } from './check-options.ts';
import type { ClassDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { LoaderShelf } from './loader-shelf.ts';
import type { ClassMatch, ClientClass, OptionWishes } from './plan.ts';

const NO_WISHES: OptionWishes = { settings: [], always: [] };

/** The classes that are without fault; one with a fault is out of service, and its machines are served without it. */
export function checkClasses(
  book: FaultBook,
  drafts: readonly ClassDraft[],
  shelf?: LoaderShelf,
): { readonly classes?: readonly ClientClass[] } {
  const places = new Map<string, string>();
  const classes = drafts.flatMap((draft, i) => checkClass(book, draft, i, { places, shelf }));
  return classes.length === 0 ? {} : { classes };
}

interface ClassGround {
  /** Of the names that are taken. */
  readonly places: Map<string, string>;
  readonly shelf: LoaderShelf | undefined;
}

function checkClass(book: FaultBook, draft: ClassDraft, i: number, { places, shelf }: ClassGround): ClientClass[] {
  const path = ['classes', i];
  const { name, match, quirks } = draft;
  const taken = name === undefined ? undefined : places.get(name);
  if (taken !== undefined) {
    const here = [...path, 'name'];
    const found = `${book.document.describe(here)}, taken ${taken}`;
    book.report(here, 'a name of its own', { found });
  } else if (name !== undefined) places.set(name, book.whereIs([...path, 'name']));
  const { options = NO_WISHES } = checkOptions(book, draft, path, 'class');
  const loaders = draft.loaders && shelf?.named([...path, 'loaders'], draft.loaders);
  if (name === undefined || !match || book.touches(path)) return [];
  return [{ name, match: matchOf(match), options, ...(quirks && { quirks }), ...(loaders && { loaders }) }];
}

function matchOf(match: NonNullable<ClassDraft['match']>): ClassMatch {
  const { 'vendor-class': vendorClasses, 'user-class': userClasses, arch: archs } = match;
  const { 'mac-prefix': macPrefixes, 'circuit-id': circuitIds, 'remote-id': remoteIds } = match;
  return {
    ...(vendorClasses && { vendorClasses }),
    ...(userClasses && { userClasses }),
    ...(archs && { archs }),
    ...(macPrefixes && { macPrefixes }),
    ...(circuitIds && { circuitIds }),
    ...(remoteIds && { remoteIds }),
  };
}
