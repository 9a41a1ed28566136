import type { Readable } from 'node:stream';

import type { Context } from 'koa';
import type * as z from 'zod';

import { MOST_BODY } from '../../contract/paths.ts';
import { Refusal } from '../refusal.ts';

/** The body of a request, by its shape. Throws Refusal. */
export async function readJson<S extends z.ZodType>(context: Context, schema: S): Promise<z.output<S>> {
  if (!context.is('application/json')) throw new Refusal(415, 'expected a body of application/json');
  const bytes = await readBody(context.req, MOST_BODY);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'expected a body in JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refusal(
    400,
    `${issue?.path.map(String).join('.') || 'the body'}: ${issue?.message ?? 'is of another shape'}`,
  );
}

/** Throws Refusal when there is more. */
export async function readBody(source: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new Refusal(413, `expected a body of at most ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
