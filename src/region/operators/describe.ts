import { createHash } from 'node:crypto';

import { fieldsOf } from './form-words.ts';
import type { Action, ApiVersion, Handler } from './handler.ts';

/** The names in a path: `{id}`. */
export function paramsOf(path: string): string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
}

interface HandlerDescription {
  readonly name: string;
  readonly doc: string;
  readonly path: string;
  readonly params: readonly string[];
  readonly actions: readonly {
    readonly name: string;
    readonly method: Action['method'];
    readonly op: string | null;
    readonly restful: boolean;
    readonly doc: string;
  }[];
}

interface ResourceDescription {
  readonly name: string;
  readonly anon: HandlerDescription | null;
  readonly auth: HandlerDescription | null;
}

/** What a client that knows nothing of us builds its commands from. */
export class Description {
  readonly hash: string;
  readonly #resources: readonly ResourceDescription[];

  constructor(handlers: readonly Handler[], version: ApiVersion) {
    this.#resources = handlers
      .filter(({ versions }) => versions.includes(version))
      .map((handler) => {
        const described = describeHandler(handler, version);
        const isAnonymous = handler.isAnonymous === true;
        return { name: handler.name, anon: isAnonymous ? described : null, auth: isAnonymous ? null : described };
      });
    this.hash = createHash('sha1').update(JSON.stringify(this.#resources)).digest('hex');
  }

  /** `origin`: "http://region.example:5240", for clients that go by the whole URI. */
  at(origin: string) {
    const place = (handler: HandlerDescription | null) => handler && { ...handler, uri: `${origin}${handler.path}` };
    const resources = this.#resources.map(({ name, anon, auth }) => ({ name, anon: place(anon), auth: place(auth) }));
    return {
      doc: 'rackboot region API, in the shapes of MAAS',
      hash: this.hash,
      handlers: resources.flatMap(({ anon, auth }) => [anon, auth].filter((handler) => handler !== null)),
      resources,
    };
  }
}

function describeHandler({ name, doc, path, actions }: Handler, version: ApiVersion): HandlerDescription {
  return {
    name,
    doc,
    path: `/MAAS/api/${version}/${path}`,
    params: paramsOf(path),
    actions: actions.map((row) => ({
      name: row.name,
      method: row.method,
      op: row.op ?? null,
      restful: row.op === undefined,
      doc: docOf(row),
    })),
  };
}

/** With a line for each parameter, as clients show it for --help. */
function docOf({ doc, parameters }: Action): string {
  const lines = fieldsOf(parameters).map(
    ({ name, isRequired, description }) => `:param ${name}: ${description}${isRequired ? ' Required.' : ''}`,
  );
  return [doc, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}
