import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { readWords, requestOf, WordsError, type Field, type Words } from '../../src/api-client/api-request.ts';
import type { ApiAction } from '../../src/api-client/commands.ts';

const UPDATE: ApiAction = {
  name: 'update',
  method: 'PUT',
  doc: '',
  path: '/MAAS/api/1.0/nodegroups/{uuid}/interfaces/{name}/',
  params: ['uuid', 'name'],
};
const LIST: ApiAction = { ...UPDATE, name: 'list', method: 'GET', op: 'list', path: '/MAAS/api/1.0/x/', params: [] };

const READ: readonly (readonly [title: string, words: readonly string[], read: Words['fields']])[] = [
  ['nothing', [], []],
  ['a value', ['os=ubuntu'], [{ name: 'os', value: 'ubuntu' }]],
  ['an empty value', ['os='], [{ name: 'os', value: '' }]],
  ['what is behind the first = is the value', ['a=b=c'], [{ name: 'a', value: 'b=c' }]],
  ['a value of many lines', ['a=b\nc'], [{ name: 'a', value: 'b\nc' }]],
  [
    'several values of one name',
    ['a=1', 'a=2'],
    [
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
    ],
  ],
  ['a file', ['keyring_data@=/tmp/k'], [{ name: 'keyring_data', file: '/tmp/k' }]],
  ['an at sign in a value', ['to=a@=b'], [{ name: 'to', value: 'a@=b' }]],
  ['a blank after =, as the document of 2015 has it', ['labels=', '*'], [{ name: 'labels', value: '*' }]],
  [
    'an empty value before another field',
    ['a=', 'b=c'],
    [
      { name: 'a', value: '' },
      { name: 'b', value: 'c' },
    ],
  ],
];
for (const [title, words, fields] of READ) {
  test(`${title}: ${JSON.stringify(words)}`, () => assert.deepEqual(readWords(LIST, words), { uri: [], fields }));
}

const REFUSED: readonly (readonly [title: string, action: ApiAction, words: readonly string[], sentence: RegExp])[] = [
  ['a path that lacks something', UPDATE, ['a'], /^expected NAME$/],
  ['a field where the path needs something', UPDATE, ['management=2', 'b'], /^expected UUID before "management=2"$/],
  ['an empty word for the path', UPDATE, ['', 'eth0'], /^expected UUID, found ""$/],
  ['a word that climbs', UPDATE, ['..', 'eth0'], /^expected UUID, found "\.\."$/],
  ['a word that stays where it is', UPDATE, ['a', '.'], /^expected NAME, found "\."$/],
  ['a control character in the path', UPDATE, ['a\r\n', 'eth0'], /^expected UUID, found "a\\r\\n"$/],
  ['a word without =', LIST, ['os'], /^expected name=value or name@=file, found "os"$/],
  ['a second word behind a blank value', LIST, ['os=', 'a', 'b'], /found "b"$/],
  ['a field without a name', LIST, ['=x'], /found "=x"$/],
  ['an op of its own', LIST, ['op=delete'], /^op is the action itself/],
];
for (const [title, action, words, sentence] of REFUSED) {
  test(`${title} is refused`, () => {
    assert.throws(
      () => readWords(action, words),
      (error) => error instanceof WordsError && sentence.test(error.message),
    );
  });
}

test('an id of Base64 may end with =', () => {
  assert.deepEqual(readWords(UPDATE, ['MTAuMC4wLjE==', 'a=']).uri, ['MTAuMC4wLjE==', 'a=']);
});

const FIELDS: readonly Field[] = [
  ['arches', 'amd64'],
  ['arches', 'i386 &?'],
];

test('fields travel in a form, and what stands in the path is written as a path can have it', () => {
  assert.deepEqual(requestOf(UPDATE, ['10.0.0.0/24', '{uuid}$&'], FIELDS), {
    method: 'PUT',
    path: '/MAAS/api/1.0/nodegroups/10.0.0.0%2F24/interfaces/%7Buuid%7D%24%26/',
    fields: FIELDS,
  });
});

for (const method of ['GET', 'DELETE'] as const) {
  test(`fields of ${method} travel in the query, behind the op`, () => {
    assert.deepEqual(requestOf({ ...LIST, method }, [], FIELDS), {
      method,
      path: '/MAAS/api/1.0/x/?op=list&arches=amd64&arches=i386+%26%3F',
      fields: [],
    });
  });
}

test('the op is in the query of a form too, and a request without fields has none', () => {
  assert.deepEqual(requestOf({ ...LIST, method: 'POST', op: 'import' }, [], []), {
    method: 'POST',
    path: '/MAAS/api/1.0/x/?op=import',
    fields: [],
  });
});

const fileOf = (...bytes: number[]): Field[] => [['name', { fileName: 'f', bytes: Uint8Array.from(bytes) }]];

test('what is in a file travels in a query when it is text', () => {
  assert.equal(requestOf(LIST, [], fileOf(0xc3, 0xa9)).path, '/MAAS/api/1.0/x/?op=list&name=%C3%A9');
  assert.throws(() => requestOf(LIST, [], fileOf(0xff)), WordsError);
});

test('whatever is written is refused, or is a request to that very place', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('..', 'a=b', 'a@=b', '/', '{name}', '%2e%2e', '\ud800'),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        const { uri, fields } = readWords(UPDATE, words);
        const values = fields.map((field): Field => [field.name, 'value' in field ? field.value : field.file]);
        for (const method of ['GET', 'PUT'] as const) {
          const { path } = requestOf({ ...UPDATE, method }, uri, values);
          assert.match(path, /^\/MAAS\/api\/1\.0\/nodegroups\/[^/?#\s]+\/interfaces\/[^/?#\s]+\/(?:\?[!-~]*)?$/);
          assert.ok(new URL(path, 'http://h').pathname.startsWith('/MAAS/api/1.0/nodegroups/'), path);
        }
        taken++;
      } catch (error) {
        assert.ok(error instanceof WordsError, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > 0);
});
