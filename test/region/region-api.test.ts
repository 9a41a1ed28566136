import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import * as z from 'zod';

import { RACK_PATHS } from '../../src/contract/paths.ts';
import {
  enrolledSchema,
  enrolmentSchema,
  eventBatchSchema,
  keptSchema,
  newKeySchema,
  ordersSchema,
  planAnswerSchema,
  recordSchema,
  refusalSchema,
  statusAnswerSchema,
  statusReportSchema,
} from '../../src/contract/rack-words.ts';
import { RegionApi } from './region-api.ts';
import { STATUS } from './region-rig.ts';

const HASH = '0123456789abcdef'.repeat(4);
const MAC = '52:54:00:12:34:56';
const RECORD = { number: 3, at: 5, kind: 'dhcp.ack', mac: MAC, address: '192.0.2.5', bootFile: 'x' };
const ORDERS = { import: 1, stopImport: 2, scan: 3, rotateKey: 4 };

/** Each with a value that has all there can be. */
const SHAPES: Readonly<Record<string, readonly [schema: z.ZodType, value: object]>> = {
  Enrolment: [enrolmentSchema, { token: 'x'.repeat(43), keyHash: HASH, name: 'rack-a1', version: '0.1.0' }],
  Enrolled: [enrolledSchema, { rack: randomUUID() }],
  Orders: [ordersSchema, ORDERS],
  PlanAnswer: [planAnswerSchema, { version: 7, config: { subnets: [] }, orders: ORDERS }],
  Record: [recordSchema, RECORD],
  EventBatch: [
    eventBatchSchema,
    { stream: randomUUID(), sentAt: 9, records: [RECORD, RECORD], forgotten: { count: 2, before: 1 } },
  ],
  Kept: [keptSchema, { kept: 0 }],
  StatusReport: [
    statusReportSchema,
    {
      ...STATUS,
      plan: { version: 3, refused: { version: 4, faults: ['a fault'] }, conflicts: ['a conflict'] },
      images: [{ name: 'ubuntu/noble', version: '1', state: 'here', bytes: 5 }],
      notices: ['a notice'],
      outbox: { waiting: 1, oldest: 5 },
      file: { hash: HASH, config: { hosts: [] } },
    },
  ],
  StatusAnswer: [statusAnswerSchema, { at: 1, wants: ['file'] }],
  NewKey: [newKeySchema, { keyHash: HASH }],
  Refusal: [refusalSchema, { error: 'no' }],
};

/** Where in a value something can be changed. */
function* placesOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* placesOf(part, [...path, key]);
}

/** `change` gives undefined for what is to be left out. */
function changed(value: unknown, [key, ...rest]: readonly string[], change: (part: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = structuredClone(value) as Record<string, unknown>;
  const part = changed(copy[key], rest, change);
  if (part !== undefined) copy[key] = part;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

/** What a value may become: gone, near to what it was, something at a bound, or anything. */
const change: fc.Arbitrary<(part: unknown) => unknown> = fc.oneof(
  fc.constant(() => undefined),
  fc.constantFrom('', 'X', '-', '.', ' ', '\n', 'é', ':0').map((more) => (part: unknown) => {
    return typeof part === 'string' ? part + more : part;
  }),
  fc.tuple(fc.nat(70), fc.constantFrom('', '0', 'G', '-', ':')).map(([at, letter]) => (part: unknown) => {
    return typeof part === 'string' ? part.slice(0, at) + letter + part.slice(at + 1) : part;
  }),
  fc.nat(2_100).map((times) => (part: unknown) => {
    if (Array.isArray(part)) return Array.from({ length: times }, () => part[0] as unknown);
    return typeof part === 'string' ? part.repeat(times % 300) : part;
  }),
  fc
    .constantFrom(-1, 0, 1, 32, 33, 1.5, 2 ** 53 - 1, 2 ** 53, 8.64e15, 8.64e15 + 1, 1e300, null, true, '', [], {}, '1')
    .map((value) => () => value),
  fc.jsonValue({ maxDepth: 2 }).map((value) => () => value),
);

/** Of JSON Schema what decides, without what is there to be read and what any object may have. */
function bare(schema: unknown, schemas: Readonly<Record<string, object>>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => bare(part, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...own } = schema as Record<string, unknown>;
  const referred = typeof $ref === 'string' ? schemas[$ref.split('/').at(-1) ?? ''] : {};
  const entries = Object.entries({ ...referred, ...own }).filter(([key, value]) => {
    const isName =
      typeof value === 'object' && value !== null && !Array.isArray(value) && key !== 'additionalProperties';
    return isName ? key !== 'propertyNames' : !NO_MATTER.has(key);
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, bare(value, schemas)]));
}

const NO_MATTER: ReadonlySet<string> = new Set([
  '$schema',
  'description',
  'examples',
  'format',
  'additionalProperties',
]);

describe('etc/region-api.yaml', () => {
  const api = new RegionApi();

  test('has each path that a rack asks', () => {
    for (const path of Object.values(RACK_PATHS)) assert.ok(api.document.paths[path], path);
  });

  test('every reference in it leads somewhere', () => {
    const references = JSON.stringify(api.document).matchAll(/"\$ref":"#\/([^"]+)"/g);
    for (const [, path = ''] of references) {
      let part: unknown = api.document;
      for (const step of path.split('/')) part = (part as Record<string, unknown> | undefined)?.[step];
      assert.ok(part, path);
    }
  });

  for (const [name, [schema, value]] of Object.entries(SHAPES)) {
    test(`${name}: it is written there as it is here`, () => {
      const { schemas } = api.document.components;
      assert.deepEqual(bare(schemas[name], schemas), bare(z.toJSONSchema(schema, { io: 'input' }), schemas));
    });

    test(`${name}: what it takes rack and region take, and nothing else`, () => {
      const validate = api.schema(name);
      assert.ok(validate(value) && schema.safeParse(value).success);
      const places = [...placesOf(value)];
      fc.assert(
        fc.property(fc.constantFrom(...places), change, (place, how) => {
          const other = changed(value, place, how);
          const verdict = schema.safeParse(other).success;
          assert.equal(validate(other), verdict, `${JSON.stringify(other)?.slice(0, 500)}: ${verdict}`);
        }),
        { numRuns: 1_000 },
      );
    });
  }
});
