import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runWhole } from '../../src/dns/slices.ts';
import { showZones } from '../../src/dns/show-zones.ts';
import { buildZone } from '../../src/dns/zone-builder.ts';
import { ZoneSet } from '../../src/dns/zone-set.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { recordsOf } from '../../src/zones/zone-columns.ts';

const TEXT = '$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\nns1 A 192.0.2.2\na.b TXT x\n';

function zones(): ZoneSet {
  const { records = [] } = readMasterFile('lab.example', '/z', () => TEXT);
  const set = new ZoneSet();
  set.add(runWhole(buildZone(nameKey('lab.example'), records, 'file')));
  return set;
}

test('zones are listed with what is in them; a name that only has others below it is not counted', () => {
  assert.deepEqual(runWhole(showZones({ kind: 'list' }, zones())), {
    zones: [{ zone: 'lab.example', kind: 'file', serial: 7, names: 3, records: 5 }],
  });
});

test('a zone is shown whole, as it was read', () => {
  const { content } = runWhole(showZones({ kind: 'dump', zone: 'Lab.Example' }, zones()));
  assert.ok(content);
  const { records = [] } = readMasterFile('lab.example', '/z', () => TEXT);
  assert.deepEqual([...formatZone(recordsOf(content))].toSorted(), [...formatZone(records)].toSorted());
  assert.equal(content.types[0], 6);
});

test('a zone that is not there is not shown', () => {
  assert.deepEqual(runWhole(showZones({ kind: 'dump', zone: 'nowhere' }, zones())), { zones: [] });
});
