import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';

import { RefusedChange } from '../answer/refused-change.ts';
import { duplicateOf, isReferred, type Database } from '../database/database.ts';
import type { GuessLimit } from '../guess-limit.ts';
import { ProvenKeys } from '../proven-keys.ts';
import { Refusal } from '../refusal.ts';
import { Description, paramsOf } from './describe.ts';
import { FieldFaults } from './field-faults.ts';
import type { Action, ApiVersion, Handler } from './handler.ts';
import { findOperator, formatKey, type Operator } from './keys.ts';
import { readOAuth } from './oauth.ts';
import { readForm, type Form } from './read-form.ts';

export interface OperatorDependencies {
  readonly database: Database;
  readonly log: Logger;
  readonly guesses: GuessLimit;
  readonly handlers: readonly Handler[];
}

const VERSIONS: readonly ApiVersion[] = ['1.0', '2.0'];
const NOBODY: Operator = { id: 0, name: 'anybody', email: '', isAdmin: false };
const LONGEST_SHOWN = 50;

/** Everything below /MAAS/api/. */
export function operatorRoutes(dependencies: OperatorDependencies): Middleware {
  const proven = new ProvenKeys();
  const apis = new Map(VERSIONS.map((version) => [version as string, new OperatorApi(dependencies, version, proven)]));
  return async (context, next) => {
    const [, version = '', path = ''] = /^\/MAAS\/api\/(\d\.\d)\/(.*)$/.exec(context.path) ?? [];
    const api = apis.get(version);
    if (api) await api.answer(context, path);
    else await next();
  };
}

/** One version of the API at its place. */
class OperatorApi {
  readonly #dependencies: OperatorDependencies;
  readonly #version: ApiVersion;
  readonly #description: Description;
  readonly #routes: readonly { readonly pattern: RegExp; readonly handler: Handler }[];
  readonly #proven: ProvenKeys;

  constructor(dependencies: OperatorDependencies, version: ApiVersion, proven: ProvenKeys) {
    this.#proven = proven;
    this.#dependencies = dependencies;
    this.#version = version;
    this.#description = new Description(dependencies.handlers, version);
    this.#routes = dependencies.handlers
      .filter(({ versions }) => versions.includes(version))
      .map((handler) => ({ pattern: patternOf(handler.path), handler }));
  }

  /** `path`: below /MAAS/api/X/. Throws Refusal. */
  async answer(context: Context, path: string): Promise<void> {
    context.set('x-maas-api-hash', this.#description.hash);
    if (/^describe\/?$/.test(path)) return this.#describe(context);
    const { handler, uri } = this.#find(path);
    const operator = handler.isAnonymous ? NOBODY : await this.#prove(context);
    try {
      const { op, fields } = await readForm(context);
      const action = actionOf(context, handler, op);
      if (!operator.isAdmin && !handler.isAnonymous && action.change && !action.isForAll)
        throw new Refusal(403, 'only an administrator may do this');
      const query = queryOf(context);
      const parameters = checked(action, fields);
      await this.#act(context, action, { uri, parameters, operator, base: `/MAAS/api/${this.#version}`, query });
    } catch (error) {
      this.#explain(context, error);
    }
  }

  #describe(context: Context): void {
    if (context.method !== 'GET' && context.method !== 'HEAD') throw notAllowed(context, ['GET']);
    // Whatever came as the host goes into a URI
    const isPlain = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i.test(context.host);
    sendJson(context, this.#description.at(isPlain ? `${context.protocol}://${context.host}` : ''));
  }

  #find(path: string): { readonly handler: Handler; readonly uri: readonly string[] } {
    for (const { pattern, handler } of this.#routes) {
      const match = pattern.exec(path);
      if (match) return { handler, uri: match.slice(1).map(decoded) };
    }
    throw new Refusal(404, `there is nothing at ${path.slice(0, LONGEST_SHOWN)}`);
  }

  async #prove(context: Context): Promise<Operator> {
    const { guesses, database } = this.#dependencies;
    const key = readOAuth(context.get('authorization'));
    if (!key) throw unproven(context, 'expected a key of this region: Authorization: OAuth …');
    const isProven = this.#proven.has(formatKey(key));
    const wait = isProven ? undefined : guesses.waitOf(context.ip);
    if (wait !== undefined) throw new Refusal(429, 'too many wrong keys from this address', wait);
    const operator = await findOperator(database, key);
    if (operator) {
      this.#proven.add(formatKey(key));
      return operator;
    }
    guesses.wrong(context.ip);
    throw unproven(context, 'this is no key of this region');
  }

  async #act(
    context: Context,
    { read, change, reply, status = 200 }: Action,
    call: Parameters<NonNullable<Action['read']>>[1],
  ): Promise<void> {
    const { database } = this.#dependencies;
    const result = change ? await database.transaction((sql) => change(sql, call)) : await read?.(database, call);
    context.status = status;
    if (reply) sendJson(context, result);
    else if (typeof result === 'string') context.body = result;
    else context.status = 204;
  }

  #explain(context: Context, error: unknown): void {
    if (error instanceof FieldFaults) {
      context.status = 400;
      sendJson(context, error.fields);
    } else if (error instanceof RefusedChange) {
      this.#dependencies.log.warn(
        { path: context.path.slice(0, 200), faults: error.faults },
        'a change that a rack would refuse was refused',
      );
      context.status = 409;
      sendJson(context, { __all__: [error.message] });
    } else if (duplicateOf(error) !== undefined) {
      context.status = 400;
      sendJson(context, { __all__: ['there is one like it already'] });
    } else if (isReferred(error)) {
      context.status = 409;
      sendJson(context, { __all__: ['something else goes by it still'] });
    } else throw error;
  }
}

function actionOf(context: Context, { actions }: Handler, op: string | undefined): Action {
  const method = context.method === 'HEAD' ? 'GET' : context.method;
  const found = actions.find((action) => action.method === method && action.op === op);
  if (found) return found;
  if (op !== undefined)
    throw new Refusal(400, `unrecognised signature: method=${context.method} op=${op.slice(0, LONGEST_SHOWN)}`);
  throw notAllowed(context, [...new Set(actions.map((action) => action.method))]);
}

function notAllowed(context: Context, methods: readonly string[]): Refusal {
  context.set('allow', [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', '));
  return new Refusal(405, `expected ${methods.join(' or ')}`);
}

function unproven(context: Context, message: string): Refusal {
  context.set('www-authenticate', 'OAuth realm="OAuth"');
  return new Refusal(401, message);
}

/** By the action's own shape: what it does not know is named. */
function checked({ parameters }: Action, form: Form['fields']): Readonly<Record<string, unknown>> {
  const shape: Readonly<Record<string, unknown>> = parameters?.shape ?? {};
  const known = Object.keys(shape).join(', ') || 'none';
  const faults = new Map<string, string[]>();
  const words: [string, readonly string[]][] = [];
  for (const [name, values] of form) {
    if (Object.hasOwn(shape, name)) words.push([name, values]);
    else faults.set(name.slice(0, LONGEST_SHOWN), [`unknown; known are ${known}`]);
  }
  const result = parameters?.safeParse(Object.fromEntries(words));
  for (const { path, message } of result?.error?.issues ?? []) {
    const name = String(path[0] ?? '__all__');
    const isMissing = name !== '__all__' && !form.has(name);
    faults.set(name, [...(faults.get(name) ?? []), isMissing ? 'expected: this field is required' : message]);
  }
  if (faults.size > 0) throw new FieldFaults(Object.fromEntries(faults));
  return result?.data ?? {};
}

/** Clients look for exactly this type, without a charset. */
function sendJson(context: Context, value: unknown): void {
  context.set('content-type', 'application/json');
  context.body = JSON.stringify(value);
}

function queryOf(context: Context): string {
  const query = new URLSearchParams(context.querystring);
  query.delete('op');
  return query.toString();
}

/** A trailing slash may be missing; a network may be written as it is, with its own slash. */
function patternOf(path: string): RegExp {
  let text = path.replace(/\/$/, '');
  for (const name of paramsOf(path)) {
    text = text.replace(`{${name}}`, name === 'id' ? String.raw`([^/]{1,100}(?:/\d{1,2})?)` : '([^/]{1,100})');
  }
  return new RegExp(`^${text}/?$`);
}

function decoded(text: string): string {
  try {
    const word = decodeURIComponent(text);
    if (!/\p{Cc}/u.test(word)) return word;
  } catch {
    // Told below
  }
  throw new Refusal(400, 'the path is not well written');
}
