import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readIndex } from '../../../src/images/streams/read-index.ts';

const FILE = 'streams/v1/index.json';

function index(entries: object): string {
  return JSON.stringify({ format: 'index:1.0', updated: 'Thu, 24 Jul 2025 08:01:49 +0000', index: entries });
}

test('an index gives its products files; those of clouds, and formats of another kind, are left out', () => {
  const text = index({
    'com.ubuntu.maas:stable:v3:download': {
      datatype: 'image-downloads',
      format: 'products:1.0',
      path: 'streams/v1/com.ubuntu.maas:stable:v3:download.sjson',
      products: ['com.ubuntu.maas.stable:v3:boot:24.04:amd64:ga-24.04'],
    },
    'com.ubuntu.cloud:aws': { datatype: 'image-ids', format: 'products:1.0', path: 'streams/v1/aws.json' },
    other: { format: 'index:1.0', path: 'streams/v1/index.json' },
  });
  assert.deepEqual(readIndex(text, FILE), {
    entries: [
      {
        contentId: 'com.ubuntu.maas:stable:v3:download',
        path: 'streams/v1/com.ubuntu.maas:stable:v3:download.sjson',
      },
    ],
    updated: Date.UTC(2025, 6, 24, 8, 1, 49),
  });
});

const entry = (path: unknown) => index({ a: { format: 'products:1.0', path } });
const CASES: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['no JSON', '{"format":', /^streams\/v1\/index\.json: expected JSON, found /],
  ['nothing', '', /expected JSON, found /],
  ['a list', '[]', /expected a mapping, found a list/],
  ['another format', '{"format":"products:1.0"}', /expected format index:1\.0, found products:1\.0/],
  ['no index', '{"format":"index:1.0"}', /index: expected a mapping, found undefined/],
  ['an entry of another type', index({ a: 7 }), /index\.json: a: expected a mapping, found 7/],
  ['a path that climbs', entry('../../etc/shadow'), /a: path: expected a path that does not climb, found \.\.\/\.\./],
  ['a path that climbs inside', entry('streams/../../x'), /expected a path that does not climb/],
  ['an absolute path', entry('/etc/shadow'), /expected a path inside the stream/],
  ['a whole URL', entry('http://evil.example/x.json'), /expected a path inside the stream/],
  ['a path with a query', entry('streams/v1/x.json?y'), /expected letters, digits/],
  ['a path with an escape', entry('streams/%2e%2e/x'), /expected letters, digits/],
  ['a path with a backslash', entry(String.raw`streams\..\x`), /expected letters, digits/],
  ['a path without end', entry('a/'.repeat(2_000)), /expected a path of at most 1024 characters/],
  ['a path of another type', entry({ a: 1 }), /expected a path of at most 1024 characters, found \{"a":1\}/],
  [
    'a key twice',
    '{"format":"index:1.0","index":{"a":{"path":"x","format":"products:1.0","pa\\u0074h":"y"}}}',
    /expected each key once, found path twice/,
  ],
  [
    'one file under two names',
    index({ a: { format: 'products:1.0', path: 'p.json' }, b: { format: 'products:1.0', path: 'p.json' } }),
    /b: expected a products file of its own, found p\.json again/,
  ],
  [
    'contents without end',
    index(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, {}]))),
    /expected at most 64 contents, found 65/,
  ],
  ['brackets without end', '['.repeat(200_000), /expected at most 32 levels, found more/],
  ['objects without end', '{"a":'.repeat(200_000), /expected at most 32 levels, found more/],
  ['values without end', `[${'0,'.repeat(3_000_001)}0]`, /expected at most 3000000 values, found more/],
];
for (const [name, text, says] of CASES) {
  test(`an index is refused by name: ${name}`, () => {
    assert.throws(() => readIndex(text, FILE), { name: 'StreamError', message: says });
  });
}
