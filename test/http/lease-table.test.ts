import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { LeaseTable } from '../../src/http/lease-table.ts';
import { ip4 } from '../boot/boot-plan-fixture.ts';

const ADDRESS = ip4('192.0.2.50');
const LEASE = { address: ADDRESS, mac: '52:54:00:12:34:56', expires: 1000 };

describe('who holds an address', () => {
  it('is the machine whose lease runs', () => {
    let now = 999_999;
    const table = new LeaseTable({ now: () => now, monotonic: () => 0 });
    assert.equal(table.holder(ADDRESS), undefined);
    table.learn([LEASE], []);
    assert.equal(table.holder(ADDRESS), LEASE);
    now = 1_000_000;
    assert.equal(table.holder(ADDRESS), undefined);
  });

  it('is nobody once the lease ended, and the next machine if the same letter says so', () => {
    const table = new LeaseTable({ now: () => 0, monotonic: () => 0 });
    table.learn([LEASE], []);
    table.learn([], [ADDRESS]);
    assert.equal(table.holder(ADDRESS), undefined);
    const next = { address: ADDRESS, mac: '52:54:00:00:00:02' };
    table.learn([next], [ADDRESS]);
    assert.equal(table.holder(ADDRESS), next);
  });
});
