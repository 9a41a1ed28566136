import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nameKey } from '../../src/wire/dns/name.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { recordsOf, toColumns, toColumnsInSteps } from '../../src/zones/zone-columns.ts';

const ORIGIN = nameKey('lab.example');
const RECORDS: readonly ResourceRecord[] = [
  { owner: ORIGIN, type: 6, ttl: 3600, data: '\0\0\0\0\0\x01' },
  { owner: nameKey('a.lab.example'), type: 1, ttl: 0xffffffff, data: '\xff\x80\0\x01' },
  { owner: nameKey('a.lab.example'), type: 65280, ttl: 0, data: '' },
  { owner: nameKey('b.lab.example'), type: 16, ttl: 5, data: 'x'.repeat(65_535) },
];

test('records come out of columns as they went in, through a copy between threads too', () => {
  const columns = toColumns(ORIGIN, RECORDS);
  assert.deepEqual([...recordsOf(columns)], RECORDS);
  assert.deepEqual([...recordsOf(structuredClone(columns))], RECORDS);
  assert.equal(structuredClone(columns).origin, ORIGIN);
});

test('columns in memory that threads share cross between them without being copied', () => {
  const steps = toColumnsInSteps(ORIGIN, RECORDS, (size) => new SharedArrayBuffer(size));
  const { value: columns } = steps.next();
  assert.ok(columns);
  const crossed = structuredClone(columns);
  assert.deepEqual([...recordsOf(crossed)], RECORDS);
  // What one writes the other reads
  columns.ttls[2] = 77;
  assert.equal([...recordsOf(crossed)][2]?.ttl, 77);
  for (const part of Object.values(columns)) {
    if (typeof part === 'object') assert.ok(part.buffer instanceof SharedArrayBuffer);
  }
});

test('no records are no rows', () => {
  assert.deepEqual([...recordsOf(toColumns(ORIGIN, []))], []);
});
