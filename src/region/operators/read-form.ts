import type { Context } from 'koa';

import { PATIENCE } from '../listener.ts';
import { readBody } from '../racks/read-json.ts';
import { Refusal } from '../refusal.ts';

/** Of a form: keyrings are the largest thing in one. */
const MOST_FORM = 2 * 1024 * 1024;
const MOST_FIELDS = 200;

/** What came with a request, by name; several of one name are a list. */
export type Form = ReadonlyMap<string, readonly string[]>;

/**
 * The query, and the body where there is one: application/x-www-form-urlencoded, multipart/form-data or a JSON object of words,
 * numbers and lists. Throws Refusal.
 */
export async function readForm(context: Context): Promise<Form> {
  const form = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    const list = form.get(name) ?? [];
    form.set(name, [...list, value]);
    if (form.size > MOST_FIELDS || list.length >= MOST_FIELDS)
      throw new Refusal(400, `expected at most ${MOST_FIELDS} fields`);
  };
  for (const [name, value] of new URLSearchParams(context.querystring)) if (name !== 'op') add(name, value);
  if (context.method === 'GET' || context.method === 'DELETE') return form;
  const bytes = await readBody(context.req, { most: MOST_FORM, milliseconds: PATIENCE.request });
  if (bytes.length === 0) return form;
  for (const [name, value] of await fieldsOf(context, bytes)) if (name !== 'op') add(name, value);
  return form;
}

async function fieldsOf(context: Context, bytes: Buffer): Promise<Iterable<readonly [string, string]>> {
  const type = context.get('content-type');
  if (/^application\/json\b/i.test(type)) return jsonFields(bytes);
  if (!/^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) {
    throw new Refusal(
      415,
      'expected a form: application/x-www-form-urlencoded, multipart/form-data or application/json',
    );
  }
  try {
    // Node's own reader of forms: bounded by the body
    const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
    const fields: [string, string][] = [];
    for (const [name, value] of form) fields.push([name, typeof value === 'string' ? value : await value.text()]);
    return fields;
  } catch {
    throw new Refusal(400, `expected a body of ${type.split(';', 1)[0] ?? ''}`);
  }
}

function jsonFields(bytes: Buffer): (readonly [string, string])[] {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Refusal(400, 'expected a body in JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'expected a JSON object');
  return Object.entries(value).flatMap(([name, part]) =>
    (Array.isArray(part) ? (part as unknown[]) : [part]).map((each) => [name, wordOf(each)] as const),
  );
}

function wordOf(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Refusal(400, 'expected words, numbers and lists of them');
}
