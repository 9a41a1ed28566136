import type { ApiAction } from './commands.ts';

/** `name=value`, or `name@=file`. */
export type WrittenField =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly file: string };

/** What an operator wrote behind an action: values of the path, then fields. */
export interface Words {
  readonly uri: readonly string[];
  readonly fields: readonly WrittenField[];
}

/** What is in a file, and the file's own name. */
interface FileValue {
  readonly fileName: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
/** Several of one name are several values of it. */
export type Field = readonly [name: string, value: string | FileValue];

/** What is sent. */
export interface ApiRequest {
  readonly method: ApiAction['method'];
  /** With query; fit to stand in the first line of a request. */
  readonly path: string;
  /** Of a form. */
  readonly fields: readonly Field[];
}

/** What was written is no request. The message is a sentence for whoever wrote it. */
export class WordsError extends Error {
  override readonly name = 'WordsError';
}

const FIELD = /^([A-Za-z_][\w.-]*?)(@?)=(.*)$/s;

/** Throws WordsError where they do not fit the action. */
export function readWords({ params }: Pick<ApiAction, 'params'>, words: readonly string[]): Words {
  const uri = words.slice(0, params.length);
  for (const [i, param] of params.entries()) checkParam(param, uri[i]);
  const fields: WrittenField[] = [];
  for (const word of words.slice(params.length)) {
    const [, name = '', at, value = ''] = FIELD.exec(word) ?? [];
    const last = fields.at(-1);
    if (name === 'op') throw new WordsError('op is the action itself, and can be no field');
    if (name !== '') fields.push(at === '@' ? { name, file: value } : { name, value });
    // `labels= "*"`, as the document of 2015 writes it
    else if (last && 'value' in last && last.value === '') fields.splice(-1, 1, { name: last.name, value: word });
    else throw new WordsError(`expected name=value or name@=file, found ${JSON.stringify(word)}`);
  }
  return { uri, fields };
}

function checkParam(param: string, value: string | undefined): void {
  const wanted = param.toUpperCase();
  if (value === undefined) throw new WordsError(`expected ${wanted}`);
  // An id of Base64 may end with =, but nothing is behind it
  if (/^[A-Za-z_]\w*@?=[^=]/.test(value)) throw new WordsError(`expected ${wanted} before ${JSON.stringify(value)}`);
  if (/^\.{0,2}$/.test(value) || /\p{Cc}/u.test(value))
    throw new WordsError(`expected ${wanted}, found ${JSON.stringify(value)}`);
}

/** Fields travel in the query of GET and DELETE, else in a form; the op is always in the query. Throws WordsError. */
export function requestOf(action: ApiAction, uri: readonly string[], fields: readonly Field[]): ApiRequest {
  const { method, op, params } = action;
  const path = action.path.replaceAll(/\{(\w+)\}/g, (_, param: string) => encoded(uri[params.indexOf(param)] ?? ''));
  const isInQuery = method === 'GET' || method === 'DELETE';
  const query = new URLSearchParams(op === undefined ? [] : [['op', op]]);
  if (isInQuery) for (const [name, value] of fields) query.append(name, queryText(name, value));
  const text = query.toString();
  return { method, path: text === '' ? path : `${path}?${text}`, fields: isInQuery ? [] : fields };
}

function encoded(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

function queryText(name: string, value: string | FileValue): string {
  if (typeof value === 'string') return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value.bytes);
  } catch {
    throw new WordsError(`${name}: ${value.fileName} is no text, and only text can travel in a query`);
  }
}
