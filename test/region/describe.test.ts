import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as z from 'zod';

import { Description } from '../../src/region/operators/describe.ts';
import { fieldsOf, text } from '../../src/region/operators/form-words.ts';
import { action, type Handler } from '../../src/region/operators/handler.ts';
import { HANDLERS } from '../../src/region/operators/handlers.ts';

const HANDLER: Handler = {
  name: 'ImagesHandler',
  versions: ['2.0'],
  doc: 'Images.',
  path: 'images/{id}/',
  actions: [
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create one.',
      parameters: z.object({ os: text('Which.'), label: text('How good.').optional() }),
      change: () => Promise.resolve(null),
    }),
  ],
};

test('each parameter is described, whether it may be absent or not', () => {
  const [described] = new Description([HANDLER], '2.0').at('').handlers;
  assert.equal(described?.actions[0]?.doc, 'Create one.\n\n:param os: Which. Required.\n:param label: How good.');
});

test('a version tells of its own handlers only', () => {
  assert.deepEqual(new Description([HANDLER], '1.0').at('').resources, []);
});

test('whole URIs are of the place where they were asked for, and the hash is the same everywhere', () => {
  const description = new Description([HANDLER], '2.0');
  const [here, there] = [description.at('http://a.example'), description.at('https://b.example:5240')];
  assert.equal(here.handlers[0]?.uri, 'http://a.example/MAAS/api/2.0/images/{id}/');
  assert.equal(there.resources[0]?.auth?.uri, 'https://b.example:5240/MAAS/api/2.0/images/{id}/');
  assert.deepEqual(there.resources[0]?.auth?.params, ['id']);
  assert.equal(here.hash, there.hash);
});

test('every field of every action is described', () => {
  for (const { name, actions } of HANDLERS) {
    for (const row of actions) {
      for (const field of fieldsOf(row.parameters)) {
        assert.match(field.description, /[.…]$/, `${name} ${row.name} ${field.name}`);
        assert.ok(field.form['type'], `${name} ${row.name} ${field.name}`);
      }
    }
  }
});
