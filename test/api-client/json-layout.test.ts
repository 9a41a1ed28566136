import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { layOutJson } from '../../src/api-client/json-layout.ts';

const LAID_OUT: readonly (readonly [title: string, text: string, lines: string])[] = [
  [
    'a list of what the document of 2015 shows',
    '[{"labels":["release"],"id":1}]',
    '[\n    {\n        "labels": [\n            "release"\n        ],\n        "id": 1\n    }\n]',
  ],
  ['what is empty', ' { "a" : [ ] , "b":{} } ', '{\n    "a": [],\n    "b": {}\n}'],
  ['a value that is no list', '\ttrue\n', 'true'],
  ['keys stay where they are, numbers too', '{"10":1,"9":2}', '{\n    "10": 1,\n    "9": 2\n}'],
  [
    'what a double has no room for',
    '[12345678901234567890,1.0,1e999,-0]',
    '[\n    12345678901234567890,\n    1.0,\n    1e999,\n    -0\n]',
  ],
  ['a key that is there twice', '{"a":1,"a":2}', '{\n    "a": 1,\n    "a": 2\n}'],
  [
    'strings as they were written',
    String.raw`["\u00e9\/\"{,}\\","é"]`,
    `[\n    ${String.raw`"\u00e9\/\"{,}\\"`},\n    "é"\n]`,
  ],
];
for (const [title, text, lines] of LAID_OUT) test(title, () => assert.equal(layOutJson(text), lines));

test('what is no JSON has no layout', () => {
  for (const text of ['', '{', '{a:1}', '[1,]', 'OK', '"\n"', '[1] [2]']) assert.equal(layOutJson(text), undefined);
});

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('what is so deep that it would be blanks only has none either', () => {
  assert.ok(layOutJson(nested(64)));
  assert.equal(layOutJson(nested(66)), undefined);
  assert.equal(layOutJson(nested(1_000_000)), undefined);
});

test('it lays out any JSON as JSON.stringify would, where that keeps what was written', () => {
  const value = fc
    .jsonValue({ maxDepth: 5, noUnicodeString: false })
    .filter((each) => !/"-?\d+":/.test(JSON.stringify(each)));
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (each, indent) => {
      const text = JSON.stringify(each, undefined, indent);
      assert.equal(layOutJson(text), JSON.stringify(JSON.parse(text), undefined, 4));
    }),
  );
});

test('a string may be megabytes long', () => {
  const text = JSON.stringify({ keyring: '\\"x'.repeat(2_000_000) });
  assert.equal(layOutJson(text)?.length, text.length + '\n    '.length + ' '.length + '\n'.length);
});

test('what would take more room than anybody reads is left as it is, and what is long is not', () => {
  assert.equal(layOutJson(`[${'0,'.repeat(10_000_000)}0]`), undefined);
  const values = Array.from({ length: 20_000 }, (_, i) => i);
  assert.equal(layOutJson(JSON.stringify(values)), JSON.stringify(values, undefined, 4));
});
