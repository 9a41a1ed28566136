import * as z from 'zod';

/** What an API says of itself, as far as commands are built from it. Unknown keys are let pass: servers differ in age. */
const actionSchema = z.object({
  name: z.string().max(200),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  op: z.string().max(200).nullish(),
  doc: z.string().max(100_000).nullish(),
});
const handlerSchema = z.object({
  name: z.string().max(200),
  path: z.string().max(1_000).optional(),
  uri: z.string().max(1_000).optional(),
  params: z.array(z.string().max(200)).max(20),
  doc: z.string().max(100_000).nullish(),
  actions: z.array(actionSchema).max(200),
});
export const descriptionSchema = z.object({
  hash: z.string().max(200).optional(),
  resources: z
    .array(z.object({ name: z.string().max(200), anon: handlerSchema.nullish(), auth: handlerSchema.nullish() }))
    .max(1_000),
});
export type Description = z.output<typeof descriptionSchema>;

/** Something that can be asked for: `boot-sources`. */
export interface Resource {
  readonly name: string;
  readonly doc: string;
  readonly actions: readonly ApiAction[];
}

export interface ApiAction {
  /** read, create, update, delete, or the op's name with hyphens. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly op?: string;
  readonly doc: string;
  /** "/MAAS/api/1.0/boot-sources/{id}/" */
  readonly path: string;
  /** What stands in it, in order. */
  readonly params: readonly string[];
}

/** By name; what needs a key is taken before what needs none. */
export function resourcesOf({ resources }: Description): Resource[] {
  const all = resources.flatMap(({ auth, anon }): Resource[] => {
    const handler = auth ?? anon;
    if (!handler) return [];
    const { name, doc, params, actions } = handler;
    const path = handler.path ?? handler.uri ?? '';
    return [
      {
        name: commandName(name),
        doc: doc ?? '',
        actions: actions.map((action) => ({
          name: action.name.replaceAll('_', '-'),
          method: action.method,
          ...(action.op != null && { op: action.op }),
          doc: action.doc ?? '',
          path,
          params,
        })),
      },
    ];
  });
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** BootSourceSelectionsHandler: boot-source-selections; IPRangesHandler: ip-ranges; DNSResourceHandler: dns-resource. */
export function commandName(handler: string): string {
  return handler
    .replace(/Handler$/, '')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-');
}
