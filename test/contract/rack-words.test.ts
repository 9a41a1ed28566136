import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { formatAuthorization, parseAuthorization } from '../../src/contract/rack-key.ts';
import {
  enrolledSchema,
  enrolmentSchema,
  eventBatchSchema,
  keptSchema,
  newKeySchema,
  planAnswerSchema,
  refusalSchema,
  statusAnswerSchema,
  statusReportSchema,
} from '../../src/contract/rack-words.ts';

const SCHEMAS = [
  enrolledSchema,
  enrolmentSchema,
  eventBatchSchema,
  keptSchema,
  newKeySchema,
  planAnswerSchema,
  refusalSchema,
  statusAnswerSchema,
  statusReportSchema,
];

test('whatever JSON comes is taken or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const schema of SCHEMAS) schema.safeParse(value);
    }),
  );
});

test('what a later rack says beyond what we know is let pass', () => {
  const batch = { stream: '6c84fb90-12c4-41e1-940d-1d1c8b0fcd0e', sentAt: 1, records: [], mood: 'good' };
  assert.deepEqual(eventBatchSchema.parse(batch), { stream: batch.stream, sentAt: 1, records: [] });
});

test('a record keeps all it says', () => {
  const record = { number: 7, at: 1, kind: 'dhcp.ack', mac: '52:54:00:12:34:56', expires: 5, bootFile: 'x' };
  const batch = { stream: '6c84fb90-12c4-41e1-940d-1d1c8b0fcd0e', sentAt: 1, records: [record] };
  assert.deepEqual(eventBatchSchema.parse(batch).records, [record]);
});

test('a rack says who it is in one header', () => {
  const credentials = { rack: '6c84fb90-12c4-41e1-940d-1d1c8b0fcd0e', key: 'A'.repeat(43) };
  assert.deepEqual(parseAuthorization(formatAuthorization(credentials)), credentials);
  for (const other of [
    undefined,
    '',
    'Bearer',
    'Basic eA==',
    `Bearer ${credentials.rack}`,
    `${formatAuthorization(credentials)}x`,
  ])
    assert.equal(parseAuthorization(other), undefined);
});
