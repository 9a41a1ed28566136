import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
interface Operation {
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media & { readonly $ref?: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Media>>;
  };
}

const FILE = join(import.meta.dirname, '../../etc/region-api.yaml');

/** What etc/region-api.yaml promises, to hold requests and replies against. */
export class RegionApi {
  readonly document = parse(readFileSync(FILE, 'utf8')) as Document;
  readonly #ajv = new Ajv2020({ allErrors: false });

  constructor() {
    const { schemas } = this.document.components;
    this.#ajv.addVocabulary(['components']);
    this.#ajv.addSchema({ components: { schemas } }, 'region-api');
  }

  /** Of `components.schemas`. */
  schema(name: string): ValidateFunction {
    return this.#ajv.compile({ $ref: `region-api#/components/schemas/${name}` });
  }

  /** What is wrong with a request that was taken; undefined: nothing. */
  requestFault(method: string, path: string, body: unknown): string | undefined {
    const operation = this.#operation(method, path);
    if (!operation) return `${method} ${path} is not described`;
    return this.#fault(operation.requestBody, body, `${method} ${path}`);
  }

  /** What is wrong with a reply; undefined: nothing. `body`: undefined where there was none. */
  replyFault(method: string, path: string, status: number, body: unknown): string | undefined {
    const operation = this.#operation(method, path);
    // That there is nothing at a path needs no description
    if (!operation) return status === 404 ? undefined : `${method} ${path} is not described`;
    const response = operation.responses[String(status)];
    if (!response) return `${method} ${path}: ${status} is not described`;
    const name = response.$ref?.split('/').at(-1);
    const media = name === undefined ? response : this.document.components.responses[name];
    return this.#fault(media, body, `${method} ${path}: ${status}`);
  }

  #operation(method: string, path: string): Operation | undefined {
    const [bare = ''] = path.split('?', 1);
    return this.document.paths[bare]?.[method.toLowerCase()];
  }

  #fault(media: Media | undefined, body: unknown, what: string): string | undefined {
    const schema = media?.content?.['application/json']?.schema;
    if (!schema) return body === undefined || body === '' ? undefined : `${what}: expected no body`;
    const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"region-api#/')) as object;
    const validate = this.#ajv.compile(whole);
    return validate(body) ? undefined : `${what}: ${this.#ajv.errorsText(validate.errors)}`;
  }
}
