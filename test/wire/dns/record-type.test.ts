import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rcodeName } from '../../../src/wire/dns/rcode.ts';
import { typeName } from '../../../src/wire/dns/record-type.ts';

test('types and response codes have their names, unknown ones a number', () => {
  assert.deepEqual([typeName(28), typeName(255), typeName(65280)], ['AAAA', 'ANY', 'TYPE65280']);
  assert.deepEqual([rcodeName(3), rcodeName(16), rcodeName(15)], ['NXDOMAIN', 'BADVERS', 'RCODE15']);
});
