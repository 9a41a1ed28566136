import type { ApiAction } from './description.ts';

/** What an operator wrote behind an action: values of the path, and `name=value`. */
export interface Words {
  readonly uri: readonly string[];
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** `name@=file`: what is in the file. */
  readonly files: readonly (readonly [name: string, path: string])[];
}

/** What is sent. */
export interface ApiRequest {
  readonly method: ApiAction['method'];
  /** With query. */
  readonly path: string;
  /** Of a form. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A sentence for whoever wrote it. */
export class WordsError extends Error {
  override readonly name = 'WordsError';
}

/** Throws WordsError where they do not fit the action. */
export function readWords({ params }: Pick<ApiAction, 'params'>, words: readonly string[]): Words {
  const uri = words.slice(0, params.length);
  if (uri.length < params.length) throw new WordsError(`expected ${params.slice(uri.length).join(' ')}`);
  const fields: [string, string][] = [];
  const files: [string, string][] = [];
  for (const word of words.slice(params.length)) {
    const match = /^([A-Za-z_]\w*)(@?)=(.*)$/s.exec(word);
    const last = fields.at(-1);
    if (!match && last?.[1] === '') {
      // `labels= "*"`, as people write it, and the document of 2015 does
      last[1] = word;
      continue;
    }
    if (!match) throw new WordsError(`expected name=value or name@=file, found ${word}`);
    const [, name = '', at, value = ''] = match;
    (at === '@' ? files : fields).push([name, value]);
  }
  return { uri, fields, files };
}

/** Parameters travel in the query of GET and DELETE, else in a form; the op is always in the query. */
export function requestOf(
  action: ApiAction,
  uri: readonly string[],
  fields: readonly (readonly [name: string, value: string])[],
): ApiRequest {
  let { path } = action;
  for (const [i, name] of action.params.entries()) path = path.replace(`{${name}}`, encodeURIComponent(uri[i] ?? ''));
  const isInQuery = action.method === 'GET' || action.method === 'DELETE';
  const query = new URLSearchParams(action.op === undefined ? [] : [['op', action.op]]);
  if (isInQuery) for (const [name, value] of fields) query.append(name, value);
  const text = query.toString();
  return { method: action.method, path: text === '' ? path : `${path}?${text}`, fields: isInQuery ? [] : fields };
}
