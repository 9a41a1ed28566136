import type { Context } from 'koa';

import { readBody } from '../racks/read-json.ts';
import { Refusal } from '../refusal.ts';

/** Of a form: keyrings are the largest thing in one. */
const MOST_FORM = 2 * 1024 * 1024;
const MOST_FIELDS = 200;
/** Who takes longer to send it is cut off. */
const BODY_MILLISECONDS = 60_000;

/** What came with a request. */
export interface Form {
  /** By name; several of one name are a list. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** In the query, or in the body as clients of MAAS 1.x have it. */
  readonly op: string | undefined;
}

/**
 * The query, and the body where there is one: application/x-www-form-urlencoded, multipart/form-data or a JSON object of words,
 * numbers and lists. Throws Refusal.
 */
export async function readForm(context: Context): Promise<Form> {
  const form = new FormDraft();
  form.take(new URLSearchParams(context.querystring));
  if (context.method === 'POST' || context.method === 'PUT') {
    const bytes = await readBody(context.req, { most: MOST_FORM, milliseconds: BODY_MILLISECONDS });
    if (bytes.length > 0) form.take(await fieldsOf(context, bytes));
  }
  return form;
}

class FormDraft implements Form {
  readonly fields = new Map<string, string[]>();
  op: string | undefined;
  #count = 0;

  take(fields: Iterable<readonly [string, string]>): void {
    for (const [name, value] of fields) {
      if (this.#count++ >= MOST_FIELDS) throw tooMany();
      if (name === 'op') this.#takeOp(value);
      else this.#listOf(name.toWellFormed()).push(value.toWellFormed());
    }
  }

  #takeOp(value: string): void {
    if (value === '') return;
    if (this.op !== undefined && this.op !== value) throw new Refusal(400, 'expected one op');
    this.op = value;
  }

  #listOf(name: string): string[] {
    const list = this.fields.get(name) ?? [];
    this.fields.set(name, list);
    return list;
  }
}

async function fieldsOf(context: Context, bytes: Buffer): Promise<Iterable<readonly [string, string]>> {
  const type = context.get('content-type');
  if (/^application\/json\b/i.test(type)) return jsonFields(bytes);
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    const text = bytes.toString('utf8');
    if (countOf(text, '&') > MOST_FIELDS) throw tooMany();
    return new URLSearchParams(text);
  }
  if (/^multipart\/form-data\b/i.test(type)) return multipartFields(type, bytes);
  throw new Refusal(415, 'expected a form: application/x-www-form-urlencoded, multipart/form-data or application/json');
}

/** By Node's own reader of forms, which takes what clients of MAAS send: parts in base64, and boundaries as Python makes them. */
async function multipartFields(type: string, bytes: Buffer): Promise<(readonly [string, string])[]> {
  // Counted before it is read, as that takes long when there are many
  if (countOf(bytes.toString('latin1'), '\r\n--') > MOST_FIELDS) throw tooMany();
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  } catch {
    throw new Refusal(400, 'expected a body of multipart/form-data');
  }
  return Promise.all(
    [...form].map(async ([name, value]) => [name, typeof value === 'string' ? value : await value.text()] as const),
  );
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0 && count <= MOST_FIELDS; at = text.indexOf(part, at + part.length)) count++;
  return count;
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

function tooMany(): Refusal {
  return new Refusal(400, `expected at most ${MOST_FIELDS} fields`);
}
