import type { Readable } from 'node:stream';

import type { Context } from 'koa';
import type * as z from 'zod';

import { Refusal } from '../refusal.ts';

export interface BodyLimits {
  /** Octets. */
  readonly most: number;
  /** For all of it, as HTTP/2 has no such limit of its own. */
  readonly milliseconds: number;
}

const LONGEST_SENTENCE = 300;
const JSON_TYPE = /^application\/json *(?:;|$)/i;

/** The body of a request, by its shape. Throws Refusal. */
export async function readJson<S extends z.ZodType>(
  context: Context,
  schema: S,
  limits: BodyLimits,
): Promise<z.output<S>> {
  // Asked of koa, a body of HTTP/2 without a length is none
  if (!JSON_TYPE.test(context.get('content-type'))) throw new Refusal(415, 'expected a body of application/json');
  if (context.get('content-encoding') !== '') throw new Refusal(415, 'expected a body without a content-encoding');
  const result = schema.safeParse(parse(await readBody(context.req, limits)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.map(String).join('.') || 'the body';
  throw new Refusal(400, `${place}: ${issue?.message ?? 'is of another shape'}`.slice(0, LONGEST_SENTENCE));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'expected a body in JSON');
  }
}

/** Throws Refusal when there is more, or it is too slow: the connection is left to whoever answers. */
export function readBody(source: Readable, { most, milliseconds }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settled = new AbortController();
    const fail = (status: number, message: string): void => {
      settled.abort();
      source.pause();
      reject(new Refusal(status, message));
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > most) fail(413, `expected a body of at most ${most} bytes`);
    };
    const late = setTimeout(() => fail(408, 'the body was too slow in coming'), milliseconds);
    const cut = (): void => fail(400, 'the body ended before its end');
    const end = (): void => {
      settled.abort();
      resolve(Buffer.concat(chunks));
    };
    source.on('data', take).once('end', end).once('error', cut).once('close', cut);
    settled.signal.addEventListener('abort', () => {
      clearTimeout(late);
      source.off('data', take).off('end', end).off('close', cut);
    });
  });
}
