import { createHash } from 'node:crypto';

import type { ApiVersion, Handler } from './handler.ts';

/** The names in a path: `{id}`. */
export function paramsOf(path: string): string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
}

/** What a client that knows nothing of us builds its commands from. */
export interface Description {
  readonly doc: string;
  readonly hash: string;
  readonly handlers: readonly unknown[];
  readonly resources: readonly unknown[];
}

export function describeApi(handlers: readonly Handler[], version: ApiVersion): Description {
  const all = handlers.filter(({ versions }) => versions.includes(version));
  const described = all.map((handler) => ({
    ...describeHandler(handler, version),
    isAnonymous: handler.isAnonymous === true,
  }));
  const resources = described.map(({ isAnonymous, ...handler }) => ({
    name: handler.name,
    anon: isAnonymous ? handler : null,
    auth: handler,
  }));
  const rest = {
    doc: 'rackboot region API, in the shapes of MAAS',
    handlers: resources.flatMap(({ anon, auth }) => (anon ? [anon] : [auth])),
    resources,
  };
  return { ...rest, hash: createHash('sha1').update(JSON.stringify(rest)).digest('hex') };
}

function describeHandler({ name, doc, path, actions }: Handler, version: ApiVersion) {
  const uri = `/MAAS/api/${version}/${path}`;
  return {
    name,
    doc,
    path: uri,
    uri,
    params: paramsOf(path),
    actions: actions.map((action) => ({
      name: action.name,
      method: action.method,
      op: action.op ?? null,
      restful: action.op === undefined,
      doc: docOf(action.doc, action.parameters?.shape),
    })),
  };
}

/** With a line for each parameter, as clients show it for --help. */
function docOf(doc: string, shape: Readonly<Record<string, unknown>> | undefined): string {
  const lines = Object.entries(shape ?? {}).map(([name, schema]) => {
    return `:param ${name}: ${descriptionOf(schema)}`.trimEnd();
  });
  return [doc, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

/** What may be absent wraps what was described. */
function descriptionOf(schema: unknown): string {
  const { description, unwrap } = schema as { readonly description?: string; readonly unwrap?: () => unknown };
  return description ?? (unwrap ? descriptionOf(unwrap()) : '');
}
