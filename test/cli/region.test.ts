import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describeRack, nextSteps } from '../../src/cli/region.ts';
import { regionFlags } from '../../src/cli/region-wish.ts';
import type { RackLine } from '../../src/region/region-desk.ts';

const ID = '6c84fb90-12c4-41e1-940d-1d1c8b0fcd0e';
const NEW: RackLine = { name: 'rack-a1', id: ID, plan: 1, forgotten: 0, mended: 0 };
const SEEN = {
  seen: '1970-01-01T00:01:00.000Z',
  from: '192.0.2.1',
  version: '0.1.0',
  waiting: 0,
  skewMilliseconds: 15,
};

const TABLE: readonly (readonly [title: string, rack: RackLine, lines: readonly string[]])[] = [
  ['that is enrolled', NEW, [`rack-a1              ${ID} plan none of 1, never seen, rackboot ?, 0 events wait`]],
  [
    'that is well',
    { ...NEW, ...SEEN, taken: 1, conflicts: [] },
    [`rack-a1              ${ID} plan 1, seen 12 s ago at 192.0.2.1, rackboot 0.1.0, 0 events wait`],
  ],
  [
    'that is not',
    {
      ...NEW,
      ...SEEN,
      plan: 7,
      taken: 6,
      waiting: 90,
      refused: ['region plan 7: a fault'],
      conflicts: ['a conflict'],
      skewMilliseconds: -61_400,
      forgotten: 5,
      mended: 2,
    },
    [
      `rack-a1              ${ID} plan 6 of 7, seen 12 s ago at 192.0.2.1, rackboot 0.1.0, 90 events wait`,
      '  REFUSED region plan 7: a fault',
      "  its clock is 61 s behind the region's",
      '  it gave up 5 events that could not be told in time',
      '  2 of its events were not as they should be',
      '  a conflict',
    ],
  ],
];

for (const [title, rack, lines] of TABLE) {
  test(`a rack ${title} has a line, and one for each thing that is wrong`, () => {
    assert.deepEqual([...describeRack(rack, 72_000)], lines);
  });
}

test('after init it is told what to type next, for the file that is used', () => {
  const usual = [...nextSteps('/etc/rackboot/region.yaml')];
  assert.equal(usual[1], '  systemctl enable --now rackboot-region');
  const other = [...nextSteps('/r.yaml')];
  assert.equal(other[1], '  rackboot region run --config /r.yaml');
  assert.ok(other.slice(1).every((line) => line.includes('--config /r.yaml')) && usual.length === other.length);
});

test('flags are sections of the file', () => {
  assert.deepEqual(regionFlags({}), {});
  assert.deepEqual(
    regionFlags({
      state: '/s',
      database: 'embedded',
      listen: ['a'],
      certificate: '/c',
      'log-level': 'warn',
      images: '/i',
      url: 'u',
    }),
    {
      state: '/s',
      database: 'embedded',
      listen: ['a'],
      tls: { certificate: '/c' },
      log: { level: 'warn' },
      images: '/i',
      url: 'u',
    },
  );
});
