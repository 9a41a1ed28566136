import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName, withSuggestion } from '../../src/plan/nearest-name.ts';

const KEYS = ['cidr', 'interface', 'management', 'dynamic', 'static', 'router', 'broadcast', 'dns', 'domain', 'lease'];

const slips = [
  ['routr', 'router'],
  ['roouter', 'router'],
  ['ruoter', 'router'],
  ['Router', 'router'],
  ['iface', undefined],
  ['interfaces', 'interface'],
  ['managment', 'management'],
  ['dsn', 'dns'],
  ['dn', 'dns'],
  ['region', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
] as const;

for (const [word, nearest] of slips) {
  test(`'${word.slice(0, 12)}' is ${nearest === undefined ? 'near to no key' : `taken for ${nearest}`}`, () => {
    assert.equal(nearestName(word, KEYS), nearest);
  });
}

test('a suggestion follows the word, and only if there is one', () => {
  assert.equal(withSuggestion('routr', KEYS), 'routr (did you mean `router`?)');
  assert.equal(withSuggestion('routr', KEYS, '"routr"'), '"routr" (did you mean `router`?)');
  assert.equal(withSuggestion('region', KEYS), 'region');
});
