import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';

import { RefusedChange } from '../answer/refused-change.ts';
import { duplicateOf, type Database } from '../database/database.ts';
import type { GuessLimit } from '../guess-limit.ts';
import { Refusal } from '../refusal.ts';
import { describeApi, paramsOf, type Description } from './describe.ts';
import { FieldFaults } from './field-faults.ts';
import type { Action, ApiVersion, Handler } from './handler.ts';
import { findOperator, type Operator } from './keys.ts';
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

/** One version of the API at its place. */
class Api {
  readonly version: ApiVersion;
  readonly description: Description;
  readonly #routes: readonly { readonly pattern: RegExp; readonly handler: Handler }[];

  constructor(handlers: readonly Handler[], version: ApiVersion) {
    this.version = version;
    this.description = describeApi(handlers, version);
    this.#routes = handlers
      .filter(({ versions }) => versions.includes(version))
      .map((handler) => ({ pattern: patternOf(handler.path), handler }));
  }

  /** Of a path below /MAAS/api/X/. Throws Refusal where there is none. */
  find(path: string): { readonly handler: Handler; readonly uri: readonly string[] } {
    for (const { pattern, handler } of this.#routes) {
      const match = pattern.exec(path);
      if (match) return { handler, uri: match.slice(1).map(decoded) };
    }
    throw new Refusal(404, `there is nothing at ${path.slice(0, 100)}`);
  }
}

/** Everything below /MAAS/api/. */
export function operatorRoutes(dependencies: OperatorDependencies): Middleware {
  const apis = new Map(VERSIONS.map((version) => [version as string, new Api(dependencies.handlers, version)]));
  return async (context, next) => {
    const [, version = '', path = ''] = /^\/MAAS\/api\/(\d\.\d)\/(.*)$/.exec(context.path) ?? [];
    const api = apis.get(version);
    if (!api) return next();
    context.set('x-maas-api-hash', api.description.hash);
    if (/^describe\/?$/.test(path)) reply(context, api.description);
    else await answer(context, api, path, dependencies);
    // Clients look for exactly this
    if (context.body !== undefined && typeof context.body !== 'string')
      context.res.setHeader('content-type', 'application/json');
  };
}

async function answer(context: Context, api: Api, path: string, dependencies: OperatorDependencies): Promise<void> {
  const { handler, uri } = api.find(path);
  try {
    const action = actionOf(context, handler);
    const operator = handler.isAnonymous ? NOBODY : await prove(context, dependencies);
    if (!handler.isAnonymous && !action.isForAll && !operator.isAdmin && action.method !== 'GET') {
      throw new Refusal(403, 'only an administrator may do this');
    }
    const parameters = checked(action, await readForm(context));
    const call = { uri, parameters, operator, base: `/MAAS/api/${api.version}` };
    const { read, change } = action;
    const result = change
      ? await dependencies.database.transaction((sql) => change(sql, call))
      : await read?.(dependencies.database, call);
    reply(context, result);
  } catch (error) {
    if (error instanceof FieldFaults) {
      reply(context, { status: 400, body: error.fields });
    } else if (error instanceof RefusedChange) {
      dependencies.log.warn(
        { path: context.path, faults: error.faults },
        'a change that a rack would refuse was refused',
      );
      reply(context, { status: 409, body: { __all__: [error.message] } });
    } else if (duplicateOf(error) !== undefined) {
      reply(context, { status: 400, body: { __all__: ['there is one like it already'] } });
    } else throw error;
  }
}

function actionOf(context: Context, { actions }: Handler): Action {
  const { op } = context.query;
  const method = context.method === 'HEAD' ? 'GET' : context.method;
  const found = actions.find((action) => action.method === method && action.op === (op === '' ? undefined : op));
  if (found) return found;
  if (op !== undefined)
    throw new Refusal(400, `unrecognised signature: method=${context.method} op=${String(op).slice(0, 50)}`);
  context.set('allow', [...new Set(actions.map((action) => action.method))].join(', '));
  throw new Refusal(405, `expected ${[...new Set(actions.map((action) => action.method))].join(' or ')}`);
}

async function prove(context: Context, { database, guesses }: OperatorDependencies): Promise<Operator> {
  const wait = guesses.waitOf(context.ip);
  if (wait !== undefined) throw new Refusal(429, 'too many wrong keys from this address', wait);
  const key = readOAuth(context.get('authorization'));
  const operator = key && (await findOperator(database, key));
  if (operator) return operator;
  if (key) guesses.wrong(context.ip);
  context.set('www-authenticate', 'OAuth realm="OAuth"');
  throw new Refusal(401, key ? 'this is no key of this region' : 'expected a key: Authorization: OAuth …');
}

/** By the action's own shape: what it does not know is named. */
function checked({ parameters }: Action, form: Form): Readonly<Record<string, unknown>> {
  const shape: Readonly<Record<string, unknown>> = parameters?.shape ?? {};
  const unknown = [...form.keys()].filter((name) => !Object.hasOwn(shape, name));
  const fields: Record<string, string[]> = Object.fromEntries(
    unknown.map((name) => [name.slice(0, 50), [`unknown; known are ${Object.keys(shape).join(', ') || 'none'}`]]),
  );
  const words = Object.fromEntries([...form].filter(([name]) => Object.hasOwn(shape, name)));
  const result = parameters?.safeParse(words);
  for (const issue of result?.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '__all__');
    fields[name] = [...(fields[name] ?? []), issue.message];
  }
  if (Object.keys(fields).length > 0) throw new FieldFaults(fields);
  return result?.data ?? {};
}

function reply(context: Context, result: unknown): void {
  const { status, body } = hasOwnStatus(result) ? result : { status: 200, body: result };
  if (body === null || body === undefined) context.status = 204;
  else {
    context.status = status;
    // Clients look for exactly this, without a charset
    if (typeof body !== 'string') context.set('content-type', 'application/json');
    context.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
}

function hasOwnStatus(result: unknown): result is { readonly status: number; readonly body: unknown } {
  return (
    typeof result === 'object' &&
    result !== null &&
    typeof (result as { status?: unknown }).status === 'number' &&
    'body' in result
  );
}

/** A trailing slash may be missing. */
function patternOf(path: string): RegExp {
  const names = paramsOf(path).map((name) => `{${name}}`);
  let text = path.replace(/\/$/, '').replaceAll('.', String.raw`\.`);
  for (const name of names) text = text.replace(name, '([^/]{1,100})');
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
