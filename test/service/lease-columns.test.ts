import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { fromColumns, toColumns } from '../../src/service/lease-columns.ts';
import type { LeaseFact } from '../../src/service/letters.ts';

const LEASES: readonly LeaseFact[] = [
  { address: toIp4(0xc0a87f79), mac: '52:54:00:00:00:01', name: 'node1', expires: 1_800_000_000 },
  { address: toIp4(1), mac: '52:54:00:00:00:02' },
  { address: toIp4(0xffffffff), mac: '52:54:00:00:00:03', name: 'node3', host: true },
  { address: toIp4(3), mac: '52:54:00:00:00:05', expires: 7, elsewhere: true },
  { address: toIp4(2), mac: '52:54:00:00:00:04', expires: 0 },
];

test('leases come out of their columns as they went in, absent keys absent', () => {
  assert.deepEqual(fromColumns(toColumns(LEASES)), LEASES);
  assert.deepEqual(fromColumns(structuredClone(toColumns(LEASES))), LEASES);
  assert.deepEqual(fromColumns(toColumns([])), []);
});
