import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { readTelling } from '../../src/region/racks/lease-telling.ts';
import type { KeptRecord } from '../../src/region/racks/read-records.ts';

interface Known {
  readonly mac: string;
  readonly told: boolean;
}

const ADDRESSES = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'];

const record: fc.Arbitrary<KeptRecord> = fc
  .tuple(
    fc.constantFrom('lease.bound', 'lease.bound', 'lease.ended', 'lease.all-begun', 'lease.all-ended', 'dhcp.ack'),
    fc.constantFrom(...ADDRESSES),
    fc.constantFrom(...MACS),
  )
  .map(([kind, address, mac]) => ({ number: 1, at: 1, kind, address, mac, body: {} }));
const leases = fc
  .array(fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...MACS), fc.boolean()))
  .map((rows) => new Map(rows.map(([address, mac, told]) => [address, { mac, told }])));

/** What a database does that takes one record after the other. */
function oneByOne(before: ReadonlyMap<string, Known>, records: readonly KeptRecord[]): Map<string, Known> {
  const all = new Map(before);
  for (const { kind, address = '', mac = '' } of records) {
    if (kind === 'lease.bound') all.set(address, { mac, told: true });
    if (kind === 'lease.ended') all.delete(address);
    for (const [each, lease] of kind.startsWith('lease.all-') ? [...all] : []) {
      if (kind === 'lease.all-begun') all.set(each, { ...lease, told: false });
      else if (!lease.told) all.delete(each);
    }
  }
  return all;
}

function atOnce(before: ReadonlyMap<string, Known>, records: readonly KeptRecord[]): Map<string, Known> {
  const { isAllGone, dropsUntold, isUntold, ended, bound } = readTelling(records);
  const all = new Map(isAllGone ? [] : before);
  for (const [address, { mac, told }] of all) {
    if (dropsUntold && !told) all.delete(address);
    else if (isUntold) all.set(address, { mac, told: false });
  }
  for (const address of ended) all.delete(address);
  for (const { address, mac, told } of bound) all.set(address, { mac, told });
  return all;
}

test('what a batch says of leases comes to the same as all of it one after the other', () => {
  fc.assert(
    fc.property(leases, fc.array(record, { maxLength: 30 }), (before, records) => {
      assert.deepEqual(Object.fromEntries(atOnce(before, records)), Object.fromEntries(oneByOne(before, records)));
    }),
    { numRuns: 2_000 },
  );
});

test('a lease without a MAC address is none, and an end beyond all dates is no end', () => {
  const [address, mac] = ['192.0.2.1', '52:54:00:00:00:01'];
  const { bound } = readTelling([
    { number: 1, at: 1, kind: 'lease.bound', address: '192.0.2.2', body: {} },
    { number: 2, at: 1, kind: 'lease.bound', address, mac, body: { name: 7, expires: 1e300 } },
  ]);
  assert.deepEqual(bound, [{ address, mac, name: null, expires: null, told: true }]);
});
