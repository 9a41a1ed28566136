import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Mac } from '../../src/addr/mac.ts';
import { BootTable } from '../../src/service/boot-table.ts';

const A = 0x525400000001 as Mac;
const HELD = { kind: 'held', boots: 8, withinSeconds: 60, since: 1 } as const;
const DONE = { kind: 'done', by: 'delivered', since: 1 } as const;

test('states are told apart by machine and entry, follow what is told, and are forgotten when cleared', () => {
  const table = new BootTable();
  table.learn({ set: [{ mac: A, entry: 'x', state: HELD }], cleared: [], lostSince: 5 });
  table.learn({ set: [{ mac: A, entry: 'y', state: DONE }], cleared: [], lostSince: 5 });
  assert.deepEqual([table.of(A, 'x'), table.of(A, 'y'), table.of(A, 'z'), table.lostSince], [HELD, DONE, undefined, 5]);
  table.learn({ set: [], cleared: [{ mac: A, entry: 'x' }] });
  assert.deepEqual([table.of(A, 'x'), table.of(A, 'y'), table.lostSince], [undefined, DONE, undefined]);
});
