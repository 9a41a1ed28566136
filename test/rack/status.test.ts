import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RegionStanding } from '../../src/rack/region-standing.ts';
import { statusOf } from '../../src/rack/status.ts';
import { FakeRack, PLAN } from './fake-rack.ts';

const FILE = '/etc/rackboot/rackboot.yaml';

test('the status of a rack says what it serves and how it is', () => {
  const fake = new FakeRack();
  fake.leases.learn([{ address: toIp4(1), mac: 0x525400000001 as Mac }], []);
  assert.deepEqual(statusOf(fake.rack, FILE), {
    rack: 'rack-t',
    since: '2020-09-13T12:26:40.000Z',
    config: { file: FILE, read: '2023-11-14T22:13:20.000Z', state: 'applied', faults: [] },
    services: {
      dhcp: { state: 'serving', restarts: 0, counters: { received: 4 } },
      dns: { state: 'serving', restarts: 0, counters: { received: 4 } },
      tftp: { state: 'failed', restarts: 2, counters: { received: 4 } },
    },
    subnets: [
      {
        cidr: '192.0.2.0/24',
        interface: 'eth0',
        management: 'dhcp+dns',
        dynamic: '192.0.2.10-192.0.2.19',
        addresses: 10,
      },
      { cidr: '10.0.0.0/8', management: 'none' },
    ],
    leases: 1,
    machines: { machines: 0, inTrouble: 0, byKind: {} },
    notices: [],
  });
});

test('a file that can’t be served is refused, with its faults, while the Plan before is shown', () => {
  const fake = new FakeRack();
  fake.attempt = { ...fake.attempt, at: 5, plan: undefined, faults: ['rackboot.yaml:1:1: broken'] };
  const { rack, config } = statusOf(fake.rack, FILE);
  assert.equal(rack, 'rack-t');
  assert.deepEqual([config.state, config.faults], ['refused', ['rackboot.yaml:1:1: broken']]);
});

test('how it is with the region is shown with times that people read', () => {
  const fake = new FakeRack();
  assert.equal(statusOf(fake.rack, FILE).region, undefined);
  fake.region = {
    state: {
      link: 'lost',
      url: 'https://a',
      since: 0,
      waiting: 3,
      oldest: 1_000,
      forgotten: 1,
      fault: { at: 2_000, reason: 'r' },
    },
  };
  fake.standing = { version: 7, conflicts: ['c'], refused: { version: 8, faults: ['x'] } };
  assert.deepEqual(statusOf(fake.rack, FILE).region, {
    version: 7,
    refused: { version: 8, faults: ['x'] },
    conflicts: ['c'],
    link: 'lost',
    url: 'https://a',
    since: '1970-01-01T00:00:00.000Z',
    waiting: 3,
    oldest: '1970-01-01T00:00:01.000Z',
    forgotten: 1,
    fault: { at: '1970-01-01T00:00:02.000Z', reason: 'r' },
  });
});

describe('a rack that follows a region says', () => {
  const conflicts = ['a: the file and the region differ'];
  const table: readonly (readonly [what: string, region: RegionStanding, notices: readonly string[]])[] = [
    ['what of it is in force', { version: 7, conflicts }, []],
    ['that nothing was said yet', { conflicts: [] }, []],
    [
      'what it refused, and what is in force instead',
      { version: 7, conflicts, refused: { version: 8, faults: ['b', 'c', 'd'] } },
      ['plan 8 of the region is refused, plan 7 is served on instead: b; and 2 more'],
    ],
    [
      'that the file stands alone',
      { conflicts: [], refused: { version: 7, faults: ['b'] } },
      ['plan 7 of the region is refused, nothing of what the region says is in force: b'],
    ],
  ];
  for (const [what, region, notices] of table) {
    test(what, () => {
      const fake = new FakeRack();
      fake.standing = region;
      const status = statusOf(fake.rack, FILE);
      assert.deepEqual([status.region, status.notices], [region, notices]);
    });
  }
});

test('a rack that serves no subnet, though its region has said something, says so', () => {
  const fake = new FakeRack();
  const noticesWith = (standing: RegionStanding | undefined, subnets: Plan['subnets'] = []): readonly string[] => {
    fake.standing = standing;
    fake.plan = { ...PLAN, subnets };
    return statusOf(fake.rack, FILE).notices;
  };
  assert.deepEqual(noticesWith({ version: 7, conflicts: [] }), [
    "it serves no subnet: neither the file nor the region's plan 7 has one",
  ]);
  assert.deepEqual(noticesWith({ version: 7, conflicts: [] }, PLAN.subnets), []);
  assert.deepEqual(noticesWith({ conflicts: [] }), [], 'it waits for its first plan');
  assert.deepEqual(noticesWith(undefined), []);
});
