import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { fromColumns, toColumns } from '../../src/service/lease-columns.ts';
import type { LeaseFact } from '../../src/service/letters.ts';

const LEASES: readonly LeaseFact[] = [
  { address: toIp4(0xc0a87f79), mac: 0x525400000001 as Mac, name: 'node1', expires: 1_800_000_000 },
  { address: toIp4(1), mac: 0x525400000002 as Mac },
  { address: toIp4(0xffffffff), mac: 0x525400000003 as Mac, name: 'node3', host: true },
  { address: toIp4(3), mac: 0x525400000005 as Mac, expires: 7, elsewhere: true },
  { address: toIp4(2), mac: 0x525400000004 as Mac, expires: 0 },
];

test('leases come out of their columns as they went in, absent keys absent', () => {
  assert.deepEqual(fromColumns(toColumns(LEASES)), LEASES);
  assert.deepEqual(fromColumns(structuredClone(toColumns(LEASES))), LEASES);
  assert.deepEqual(fromColumns(toColumns([])), []);
});
