import assert from 'node:assert/strict';
import { test } from 'node:test';

import { regionLines } from '../../src/cli/region-lines.ts';
import type { RackStatus } from '../../src/rack/status.ts';

const TIME = '2026-11-28T16:00:00.000Z';
const GOOD = {
  url: 'https://region.test',
  link: 'connected',
  since: TIME,
  waiting: 0,
  forgotten: 0,
  conflicts: [],
  version: 7,
} as const;

const ROWS: readonly (readonly [how: string, region: RackStatus['region'], lines: readonly string[]])[] = [
  ['that there is not', undefined, []],
  [
    'that is well',
    { ...GOOD, skewSeconds: 0 },
    [`region https://region.test: is followed, since ${TIME}`, '  plan 7 of the region is in force'],
  ],
  [
    'that is away',
    {
      ...GOOD,
      link: 'lost',
      waiting: 3,
      oldest: TIME,
      forgotten: 5,
      skewSeconds: -90,
      fault: { at: TIME, reason: 'connect ECONNREFUSED' },
    },
    [
      `region https://region.test: CAN NOT BE FOLLOWED, since ${TIME}`,
      '  plan 7 of the region is in force',
      `  3 events wait, from ${TIME} on`,
      '  5 events were given up, and are never told',
      '  its clock is 90 s behind this one',
      `  last trouble, at ${TIME}: connect ECONNREFUSED`,
    ],
  ],
  [
    'whose plan is refused',
    { ...GOOD, conflicts: ['router: the file wins'], refused: { version: 8, faults: ['region plan 8: subnets: bad'] } },
    [
      `region https://region.test: is followed, since ${TIME}`,
      '  plan 7 of the region is in force; plan 8 is REFUSED:',
      '    region plan 8: subnets: bad',
      '  router: the file wins',
    ],
  ],
  [
    'without TLS',
    { ...GOOD, url: 'http://region.test' },
    [
      `region http://region.test: is followed, since ${TIME}`,
      '  it is not encrypted: whoever is on the way sees all, and the key of this rack',
      '  plan 7 of the region is in force',
    ],
  ],
  ['that says nothing yet', { conflicts: [] }, ['region: not asked yet', '  no plan of the region is in force']],
];
for (const [how, region, lines] of ROWS) {
  test(`the status of a region ${how}`, () => {
    assert.deepEqual([...regionLines(region)], lines);
  });
}
