import * as z from 'zod';

import { paramsOf } from '../../src/region/operators/describe.ts';
import { fieldsOf } from '../../src/region/operators/form-words.ts';
import type { Action, ApiVersion, Handler } from '../../src/region/operators/handler.ts';

type Json = Record<string, unknown>;

const MEDIA = ['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json'];
const VERSIONS: readonly ApiVersion[] = ['1.0', '2.0'];

const INFO = `In the shapes of MAAS: forms and \`?op=\`. A method at a path has one action for each op, and one without, each with its own fields and
answer: these are listed with it by their names. /MAAS/api/X/describe/ says the same to clients that make their commands of it.
Every answer has X-MAAS-API-Hash, which is another where the API is. A slash at the end may be left out.`;

const RESPONSES: Readonly<Record<string, string>> = {
  '400': 'Fields are wrong, by name; or the request is, in words.',
  '401': 'There is no key with it, or one of nobody. The Date tells what time it is here.',
  '403': 'Only an administrator may do this.',
  '404': 'It is not there.',
  '408': 'The body was too slow in coming.',
  '409': 'A rack would refuse this, in its own sentence; or something else goes by it still.',
  '413': 'The body is longer than 2 MiB.',
  '415': 'The body is no form.',
  '429': 'Too many wrong keys came from this address.',
  '500': 'A fault of the region itself.',
  '503': 'The database does not answer.',
};

/** The operators' API as OpenAPI, out of the table that it is served by. */
export function operatorsApi(handlers: readonly Handler[]): Json {
  const schemas: Json = {
    Faults: {
      description: 'By field, or __all__, what is wrong with it.',
      type: 'object',
      additionalProperties: { type: 'array', items: { type: 'string' } },
    },
  };
  const paths: Json = {};
  for (const version of VERSIONS) {
    for (const handler of handlers.filter(({ versions }) => versions.includes(version))) {
      paths[`/MAAS/api/${version}/${handler.path}`] = pathItem(handler, version, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: "rackboot region, operators' part",
      version: '1',
      description: INFO,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'https://region.example:5240' }],
    security: [{ operatorKey: [] }],
    paths,
    components: {
      securitySchemes: {
        operatorKey: {
          type: 'http',
          scheme: 'OAuth',
          description:
            'OAuth 1.0 with the signature method PLAINTEXT (RFC 5849 §3.4.4); consumer:token:secret is the key.',
        },
      },
      responses: Object.fromEntries(
        Object.entries(RESPONSES).map(([status, description]) => [
          `Refused${status}`,
          {
            description,
            content: {
              'text/plain': { schema: { type: 'string' } },
              ...(['400', '409'].includes(status) && {
                'application/json': { schema: { $ref: '#/components/schemas/Faults' } },
              }),
            },
          },
        ]),
      ),
      schemas,
    },
  };
}

function pathItem(handler: Handler, version: ApiVersion, schemas: Json): Json {
  const item: Json = {};
  const params = paramsOf(handler.path);
  if (params.length > 0) {
    item['parameters'] = params.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  }
  for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
    const actions = handler.actions.filter((row) => row.method === method);
    if (actions.length > 0) item[method.toLowerCase()] = operation(handler, version, method, actions, schemas);
  }
  return item;
}

function operation(
  handler: Handler,
  version: ApiVersion,
  method: Action['method'],
  actions: readonly Action[],
  schemas: Json,
): Json {
  const kind = handler.name.replace(/Handler$/, '');
  const inQuery = method === 'GET' || method === 'DELETE';
  const bodies = inQuery ? [] : actions.flatMap((row) => bodyOf(kind, row, schemas));
  const parameters = [...opOf(actions), ...(inQuery ? queryOf(actions) : [])];
  return {
    operationId: `${kind}_${actions.map(({ name }) => name).join('_')}_${version}`,
    tags: [kind],
    summary: actions.length === 1 ? summaryOf(actions[0]) : handler.doc,
    description: actions.map(({ name, doc }) => `${name}: ${doc}`).join('\n\n'),
    ...(handler.isAnonymous && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(bodies.length > 0 && {
      requestBody: { content: Object.fromEntries(MEDIA.map((media) => [media, { schema: anyOf(bodies) }])) },
    }),
    responses: responsesOf(handler, kind, actions, schemas),
  };
}

function opOf(actions: readonly Action[]): Json[] {
  const ops = actions.flatMap(({ op }) => op ?? []);
  if (ops.length === 0) return [];
  const required = actions.every(({ op }) => op !== undefined);
  return [{ name: 'op', in: 'query', required, schema: { type: 'string', enum: ops } }];
}

/** Of several actions that have a field of one name it is the same field. */
function queryOf(actions: readonly Action[]): Json[] {
  const fields = new Map(
    actions.flatMap((row) => fieldsOf(row.parameters).map((field) => [field.name, field] as const)),
  );
  return [...fields.values()].map(({ name, isRequired, description, form }) => ({
    name,
    in: 'query',
    required: isRequired && actions.length === 1,
    description,
    schema: form,
  }));
}

function bodyOf(kind: string, { name, parameters }: Action, schemas: Json): Json[] {
  const fields = fieldsOf(parameters);
  if (fields.length === 0) return [];
  const required = fields.filter(({ isRequired }) => isRequired).map((field) => field.name);
  schemas[`${kind}.${name}`] = {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((field) => [field.name, { description: field.description, ...field.form }]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return [{ $ref: `#/components/schemas/${kind}.${name}` }];
}

function responsesOf(handler: Handler, kind: string, actions: readonly Action[], schemas: Json): Json {
  const good = new Map<string, { replies: Json[]; hasWords: boolean }>();
  for (const row of actions) {
    // What has no shape says a word or nothing
    const statuses = row.reply ? [String(row.status ?? 200)] : ['200', '204'];
    for (const status of statuses) {
      const known = good.get(status) ?? { replies: [], hasWords: false };
      if (row.reply) known.replies.push(replyOf(kind, row.name, row.reply, schemas));
      else if (status === '200') known.hasWords = true;
      good.set(status, known);
    }
  }
  const refusals = ['400', ...(handler.isAnonymous ? [] : ['401']), ...refusalsOf(actions), '429', '500', '503'];
  if (paramsOf(handler.path).length > 0) refusals.push('404');
  return {
    ...Object.fromEntries(
      Array.from(good, ([status, { replies, hasWords }]) => [
        status,
        {
          description: status === '204' ? 'It is done.' : 'What was asked for.',
          ...(status !== '204' && {
            content: {
              ...(replies.length > 0 && { 'application/json': { schema: anyOf(replies) } }),
              ...(hasWords && { 'text/plain': { schema: { type: 'string' } } }),
            },
          }),
        },
      ]),
    ),
    ...Object.fromEntries(
      refusals.toSorted().map((status) => [status, { $ref: `#/components/responses/Refused${status}` }]),
    ),
  };
}

function refusalsOf(actions: readonly Action[]): string[] {
  const isChange = actions.some(({ change }) => change);
  const hasBody = actions.some(({ method }) => method === 'POST' || method === 'PUT');
  return [...(isChange ? ['403', '409'] : []), ...(hasBody ? ['408', '413', '415'] : [])];
}

function replyOf(kind: string, name: string, reply: z.ZodType, schemas: Json): Json {
  // A list is one of what is read elsewhere by itself
  if (reply instanceof z.ZodArray) {
    return {
      type: 'array',
      items: replyOf(kind.replace(/ies$/, 'y').replace(/s$/, ''), name, reply.element as z.ZodType, schemas),
    };
  }
  const { $schema: _schema, ...schema } = z.toJSONSchema(reply);
  if (schema.type !== 'object') return schema;
  const text = JSON.stringify(schema);
  const known = Object.keys(schemas).find((other) => JSON.stringify(schemas[other]) === text);
  const title = known ?? (Object.hasOwn(schemas, kind) ? `${kind}.${name}.reply` : kind);
  schemas[title] = schema;
  return { $ref: `#/components/schemas/${title}` };
}

function anyOf(schemas: readonly Json[]): Json {
  const [only = {}, ...rest] = schemas;
  return rest.length === 0 ? only : { anyOf: schemas };
}

function summaryOf(row: Action | undefined): string {
  return (row?.doc ?? '').split('\n', 1)[0] ?? '';
}
