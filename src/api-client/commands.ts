import type { Description, Handler } from './description.ts';

/** Something that can be asked for: `boot-sources`. */
export interface Resource {
  readonly name: string;
  readonly doc: string;
  readonly actions: readonly ApiAction[];
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export interface ApiAction {
  /** read, create, update, delete, or the op's name with hyphens. */
  readonly name: string;
  readonly method: (typeof METHODS)[number];
  readonly op?: string;
  readonly doc: string;
  /** "/MAAS/api/1.0/boot-sources/{id}/" */
  readonly path: string;
  /** What stands in it, in the order in which it is written behind the action. */
  readonly params: readonly string[];
}

/** In the order of their names. Where two would have the same one, the first has it; a method that we do not know is nobody's. */
export function resourcesOf({ resources }: Description): Resource[] {
  const all = resources.flatMap(({ name, auth, anon }): Resource[] => {
    const handler = auth ?? anon;
    return handler ? [{ name: commandName(name), doc: handler.doc ?? '', actions: actionsOf(handler) }] : [];
  });
  return firstOfEach(all).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function actionsOf({ path, params, actions }: Handler): ApiAction[] {
  const all = actions.flatMap(({ name, method, op, doc }): ApiAction[] => {
    const known = METHODS.find((each) => each === method);
    if (known === undefined) return [];
    return [
      { name: wordOf(name), method: known, ...(op != null && op !== '' && { op }), doc: doc ?? '', path, params },
    ];
  });
  return firstOfEach(all);
}

function firstOfEach<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const names = new Set<string>();
  return all.filter(({ name }) => name !== '' && !names.has(name) && names.add(name));
}

/**
 * BootSourceSelectionsHandler: boot-source-selections. As in MAAS a run of capitals is of the word behind it: IPRangesHandler is ipranges.
 */
export function commandName(handler: string): string {
  const words = handler.match(/[A-Z]*[a-z0-9]+|[A-Z]+/g) ?? [];
  return words
    .map((word) => word.toLowerCase())
    .filter((word) => word !== 'handler')
    .join('-');
}

/** As it is typed: an op `set_config` is `set-config`. */
export function wordOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
