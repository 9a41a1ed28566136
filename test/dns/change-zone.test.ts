import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { changeZone } from '../../src/dns/change-zone.ts';
import { runWhole } from '../../src/dns/slices.ts';
import { buildZone } from '../../src/dns/zone-builder.ts';
import { recordsIn } from '../../src/dns/zone-content.ts';
import type { Zone } from '../../src/dns/zone.ts';
import { recordText } from '../../src/zones/zone-change.ts';
import { fromChangeColumns, toChangeColumns } from '../../src/zones/change-columns.ts';
import { change, ORIGIN, record, soa } from '../zones/records.ts';

const LINES = ['@ NS ns', 'www A 192.0.2.1', 'www A 192.0.2.2', 'a.b.c A 192.0.2.3'];

function zoneOf(serial: number, lines: readonly string[]): Zone {
  return runWhole(buildZone(ORIGIN, [soa(serial), ...lines.map((line) => record(line))], 'file'));
}

function contentOf(zone: Zone): string[] {
  return runWhole(recordsIn(zone.snapshot())).map(recordText).toSorted();
}

const ROWS: [what: string, change: readonly string[], lines: readonly string[]][] = [
  ['a name that comes', ['+new A 192.0.2.9'], [...LINES, 'new A 192.0.2.9']],
  ['one record of a set that goes', ['-www A 192.0.2.1'], LINES.toSpliced(1, 1)],
  ['one that comes to a set', ['+www A 192.0.2.4'], [...LINES, 'www A 192.0.2.4']],
  ['a name that goes, and those that were there for it', ['-a.b.c A 192.0.2.3'], LINES.slice(0, 3)],
  [
    'one in the place of another',
    ['-www A 192.0.2.1', '+www A 192.0.2.8'],
    [...LINES.toSpliced(1, 1), 'www A 192.0.2.8'],
  ],
  ['another type in its place', ['-a.b.c A 192.0.2.3', '+a.b.c TXT x'], [...LINES.slice(0, 3), 'a.b.c TXT x']],
  ['nothing but the serial', [], LINES],
];

describe('a change makes a zone what it was published as', () => {
  for (const [what, lines, after] of ROWS) {
    test(what, () => {
      const zone = zoneOf(7, LINES);
      assert.equal(changeZone(zone, fromChangeColumns(toChangeColumns(change(7, 8, ...lines)))), true);
      const wanted = zoneOf(8, after);
      assert.deepEqual(contentOf(zone), contentOf(wanted));
      assert.deepEqual([zone.serial, zone.size], [8, wanted.size]);
    });
  }
});

describe('a zone stays as it is under a change', () => {
  const others: [what: string, change: Parameters<typeof change>][] = [
    ['that begins with another serial', [6, 8, '+new A 192.0.2.9']],
    ['that takes away what it has not', [7, 8, '+new A 192.0.2.9', '-www A 192.0.2.77']],
  ];
  for (const [what, words] of others) {
    test(what, () => {
      const zone = zoneOf(7, LINES);
      assert.equal(changeZone(zone, change(...words)), false);
      assert.deepEqual(contentOf(zone), contentOf(zoneOf(7, LINES)));
    });
  }
});

test('a change in which the TTL of a set is another', () => {
  const zone = zoneOf(7, LINES);
  const [removed, added] = [300, 60].map((ttl) => [record('a.b.c A 192.0.2.3', ttl)]);
  assert.ok(removed && added);
  assert.equal(changeZone(zone, { ...change(7, 8), removed, added }), true);
  assert.ok(
    contentOf(zone).some((line) => /\b60\b/.test(line)),
    contentOf(zone).join('\n'),
  );
});
