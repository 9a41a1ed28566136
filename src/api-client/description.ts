import * as z from 'zod';

/** What an API says of itself is kept as far as commands are built from it; other keys are let pass, as servers differ in age. */
const MOST_RESOURCES = 2_000;
const name = z.string().min(1).max(200);
const doc = z.string().max(200_000).nullish();

const actionSchema = z.object({ name, method: z.string().max(20), op: z.string().max(200).nullish(), doc });

const handlerSchema = z
  .object({
    name,
    path: z.string().max(1_000).optional(),
    uri: z.string().max(1_000).optional(),
    params: z.array(z.string().regex(/^\w+$/).max(100)).max(20),
    doc,
    actions: z.array(actionSchema).max(500),
  })
  .transform(({ path, uri, ...handler }) => ({ ...handler, path: path ?? pathOf(uri ?? '') }))
  .refine(({ path, params }) => isTemplateOf(path, params), {
    path: ['path'],
    message: 'expected a path on this server that has each of its params once',
  });
export type Handler = z.output<typeof handlerSchema>;

const resourceSchema = z.object({ name, anon: handlerSchema.nullish(), auth: handlerSchema.nullish() });
export const descriptionSchema = z
  .object({
    hash: z.string().max(200).optional(),
    resources: z.array(resourceSchema).max(MOST_RESOURCES).optional(),
    handlers: z.array(handlerSchema).max(MOST_RESOURCES).optional(),
  })
  .refine(({ resources, handlers }) => resources ?? handlers, {
    path: ['resources'],
    message: 'expected a list, found nothing',
  })
  // Those of 2013 have handlers only
  .transform(({ hash, resources, handlers = [] }) => ({
    ...(hash !== undefined && { hash }),
    resources: resources ?? handlers.map((handler) => ({ name: handler.name, anon: null, auth: handler })),
  }));
export type Description = z.output<typeof descriptionSchema>;

/** What it said is no description. The message is a clause: where, what was expected, and what was found. */
export class DescriptionFault extends Error {
  override readonly name = 'DescriptionFault';
}

/** Throws DescriptionFault. */
export function readDescription(text: string): Description {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DescriptionFault('it is no JSON');
  }
  const { data, error } = descriptionSchema.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  const where = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const found = (issue?.message ?? '').replace(/^Invalid input: /, '');
  throw new DescriptionFault(where ? `${where.replace(/^\./, '')}: ${found}` : found);
}

/** An absolute URL in the oldest, a path else. */
function pathOf(uri: string): string {
  return uri.replace(/^https?:\/\/[^/]*/i, '');
}

/**
 * Whether this is a path, and nothing that a reader of URLs would take for another host, for a step upwards, a query or a blank; with each
 * param in its braces.
 */
function isTemplateOf(path: string, params: readonly string[]): boolean {
  if (!/^\/(?!\/)[\w\-.~!$&'()*+,;=:@%/{}]*$/.test(path) || /\/\.{1,2}(?:\/|$)|%2e/i.test(path)) return false;
  const found = Array.from(path.matchAll(/\{(\w+)\}/g), ([, param = '']) => param);
  const bare = path.replaceAll(/\{\w+\}/g, '');
  return !/[{}]/.test(bare) && found.length === params.length && new Set([...found, ...params]).size === params.length;
}
