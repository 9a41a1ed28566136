import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { printablePath, requestPath } from '../../../src/wire/http/request-path.ts';

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['/debian/vmlinuz', '/debian/vmlinuz'],
  ['/a%20b', '/a b'],
  ['/a+b', '/a+b'],
  ['/f?x=/../y', '/f'],
  ['/f#x', '/f'],
  ['http://192.0.2.1:5248/f?x', '/f'],
  ['HTTP://rack/f', '/f'],
  ['http://rack', ''],
  ['*', '*'],
  ['', ''],
  ['/%2e%2e/etc', '/../etc'],
  ['/%252e', '/%2e'],
  ['/%00', '/\0'],
  ['/%c3%a9', '/é'],
  ['/%ff', undefined],
  ['/%', undefined],
  ['/%zz', undefined],
];

describe('the path of a request target', () => {
  for (const [target, expected] of CASES) {
    it(`${JSON.stringify(target)} is ${JSON.stringify(expected)}`, () => {
      assert.equal(requestPath(target), expected);
    });
  }
});

describe('a path in an event', () => {
  it('is cut, and shows no control characters', () => {
    assert.equal(printablePath('/a\u001b[2Jb\u0085'), '/a\ufffd[2Jb\ufffd');
    assert.equal(printablePath('x'.repeat(200)), 'x'.repeat(200));
    assert.equal(printablePath('x'.repeat(9000)), `${'x'.repeat(200)}…`);
  });
});
