import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { requestOf } from '../../src/api-client/api-request.ts';
import { resourcesOf } from '../../src/api-client/commands.ts';
import { DescriptionFault, readDescription } from '../../src/api-client/description.ts';
import { API_1_0, API_2_0, description, handler } from './describe-fixture.ts';

test('what was read can be kept and read again', () => {
  for (const api of [API_1_0, API_2_0, { handlers: API_1_0['handlers'] }]) {
    const read = readDescription(JSON.stringify(api));
    assert.deepEqual(readDescription(JSON.stringify(read)), read);
  }
});

const at = (text: string, more: object = {}): object => description(handler('AHandler', text, ['read GET'], more));
const REFUSED: readonly (readonly [title: string, text: string | object, sentence: RegExp])[] = [
  ['no JSON', '<html>', /^it is no JSON$/],
  ['nothing', '', /^it is no JSON$/],
  ['very deep JSON', '['.repeat(1_000_000), /^it is no JSON$/],
  ['a list', '[]', /^expected object, received array$/],
  ['an object of something else', {}, /^resources: expected a list, found nothing$/],
  ['a resource that is none', { resources: [7] }, /^resources\[0\]: expected object, received number$/],
  [
    'a method that is no word',
    {
      resources: [{ name: 'A', auth: { ...at('/a/'), name: 'A', path: '/a/', params: [], actions: [{ name: 'x' }] } }],
    },
    /^resources\[0\]\.auth\.actions\[0\]\.method: expected string/,
  ],
  ['more than anybody has', { resources: Array.from({ length: 3_000 }, () => ({ name: 'A' })) }, /^resources: Too big/],
  ['a path on another host', at('//elsewhere.example/'), /path: expected a path on this server/],
  ['the same by backslashes', at('/\\elsewhere.example/'), /path: expected a path on this server/],
  ['a URL as a path', at('http://elsewhere.example/'), /path: expected a path on this server/],
  ['what would be a name before the host', at('@elsewhere.example/'), /path: expected a path on this server/],
  ['a path that climbs', at('/MAAS/../admin/'), /path: expected a path on this server/],
  ['the same in disguise', at('/MAAS/%2E%2e/admin/'), /path: expected a path on this server/],
  ['a path with a query', at('/a/?op=delete'), /path: expected a path on this server/],
  ['a path that begins another request', at('/a/ HTTP/1.1\r\nx: y'), /path: expected a path on this server/],
  ['a brace that closes nothing', at('/a/}/'), /path: expected a path on this server/],
  ['a param that its path has not', at('/a/', { params: ['id'] }), /path: expected a path on this server/],
  ['a param twice', at('/a/{id}/{id}/'), /path: expected a path on this server/],
  ['a path that wants what is no param', at('/a/{id}/', { params: [] }), /path: expected a path on this server/],
];
for (const [title, text, sentence] of REFUSED) {
  test(`${title} is no description, in one sentence`, () => {
    assert.throws(
      () => readDescription(typeof text === 'string' ? text : JSON.stringify(text)),
      (error) => error instanceof DescriptionFault && sentence.test(error.message) && !error.message.includes('\n'),
    );
  });
}

const word = fc.oneof(fc.string(), fc.constantFrom('//x', '/..', '{', 'GET', 'BootSourcesHandler', '__proto__', 'a_b'));
const anyName = fc.oneof({ weight: 9, arbitrary: fc.string({ minLength: 1 }) }, { weight: 1, arbitrary: word });
const PLACES: readonly (readonly [path: string, params: readonly string[]])[] = [
  ['/a/', []],
  ['/a/{id}/', ['id']],
  ['/{uuid}/{name}', ['name', 'uuid']],
  ['/a/{id}:%20/@x', ['id']],
];
const place = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...PLACES) },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(word, fc.webUrl()), fc.array(word, { maxLength: 2 })) },
);
const anyAction = fc.record({
  name: anyName,
  method: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('GET', 'POST') }, { weight: 1, arbitrary: word }),
  op: fc.option(word),
  doc: fc.option(word),
});
const anyHandler = fc
  .tuple(anyName, place, fc.constantFrom('path', 'uri'), fc.array(anyAction))
  .map(([name, [path, params], key, actions]) => ({ name, [key]: path, params, actions }));
const anyDescription = fc.oneof(
  fc.jsonValue(),
  fc.record({
    hash: word,
    resources: fc.array(fc.record({ name: anyName, auth: fc.option(anyHandler), anon: fc.option(anyHandler) })),
  }),
);

test('whatever a server says of itself is refused in a sentence, or has commands that stay on that server', () => {
  const seen = { taken: 0 };
  fc.assert(
    fc.property(anyDescription, (value) => {
      let read;
      try {
        read = readDescription(JSON.stringify(value));
      } catch (error) {
        assert.ok(error instanceof DescriptionFault, String(error));
        return;
      }
      for (const { name, actions } of resourcesOf(read)) {
        assert.match(name, /^[a-z0-9-]+$/);
        for (const action of actions) {
          assert.match(action.name, /^[a-z0-9-]+$/);
          const request = requestOf(action, action.params, []);
          const url = new URL(request.path, 'http://region.example');
          assert.equal(url.origin, 'http://region.example');
          seen.taken++;
        }
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(seen.taken > 100, String(seen.taken));
});
