import assert from 'node:assert/strict';
import { test } from 'node:test';

import { authorizationOf, parseApiKey, withoutSecret } from '../../src/api-client/oauth.ts';
import { readOAuth } from '../../src/region/operators/oauth.ts';

const KEY = { consumer: 'abc', token: 'def', secret: 'ghi~jkl_-.mno' };

test('a key is three parts, with whatever blanks are around it', () => {
  assert.deepEqual(parseApiKey(' abc:def:ghi~jkl_-.mno\n'), KEY);
});
for (const text of ['', 'abc', 'abc:def', 'abc:def:', ':a:b', 'a:b:c:d', 'a:b c:d', 'a:b:"c"', 'a:b:c\nd']) {
  test(`${JSON.stringify(text)} is no key`, () => assert.equal(parseApiKey(text), undefined));
}

test('it is said as clients of MAAS say it, to the byte', () => {
  assert.equal(
    authorizationOf(KEY, 1_700_000_000_999, '0123'),
    'OAuth oauth_version="1.0", oauth_signature_method="PLAINTEXT", oauth_consumer_key="abc", oauth_token="def", ' +
      'oauth_signature="%26ghi~jkl_-.mno", oauth_nonce="0123", oauth_timestamp="1700000000"',
  );
});

test('our own region understands it', () => {
  assert.deepEqual(readOAuth(authorizationOf(KEY, 0, 'x')), KEY);
});

test('a secret that a server says back is not shown', () => {
  assert.equal(withoutSecret('x ghi~jkl_-.mno, ghi~jkl_-.mno', KEY), 'x (not shown), (not shown)');
  assert.equal(withoutSecret('a bad case', { ...KEY, secret: 'a' }), 'a bad case');
});
