import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as z from 'zod';

import { describeApi } from '../../src/region/operators/describe.ts';
import type { Handler } from '../../src/region/operators/handler.ts';

test('a parameter that may be absent is described like one that must be there', () => {
  const parameters = z.object({
    os: z.string().describe('Which.'),
    label: z.string().describe('How good.').optional(),
    plain: z.string(),
  });
  const create = { name: 'create', method: 'POST', doc: 'Create one.', parameters } as const;
  const handler: Handler = { name: 'ImagesHandler', versions: ['2.0'], doc: '', path: 'images/', actions: [create] };
  const [described] = describeApi([handler], '2.0').handlers as { actions: { doc: string }[] }[];
  assert.equal(described?.actions[0]?.doc, 'Create one.\n\n:param os: Which.\n:param label: How good.\n:param plain:');
});
