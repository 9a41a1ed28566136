import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import type { Ip4 } from '../../src/addr/ip4.ts';
import { runWhole } from '../../src/dns/slices.ts';
import { showZones } from '../../src/dns/show-zones.ts';
import { buildZone } from '../../src/dns/zone-builder.ts';
import { ZoneSet } from '../../src/dns/zone-set.ts';
import { nameKey, type NameKey } from '../../src/wire/dns/name.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import type { ZoneAnswer } from '../../src/service/letters.ts';
import { recordsOf, toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { planOf } from './plan-of.ts';
import { Primary } from './primary.ts';
import { updateMessage } from './update/update-message.ts';

const TEXT = '$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\nns1 A 192.0.2.2\na.b TXT x\n';

/** Zones that no update came to. */
const UNTOUCHED = { updatesOf: () => undefined, forgetUpdates: () => assert.fail('nobody asked for that') };

function served() {
  const { records = [] } = readMasterFile('lab.example', '/z', () => TEXT);
  const set = new ZoneSet();
  set.add(runWhole(buildZone(nameKey('lab.example'), records, 'file')));
  return { get: (origin: NameKey) => set.get(origin), all: () => set.all(), readAgain: () => {} };
}

test('zones are listed with what is in them; a name that only has others below it is not counted', () => {
  assert.deepEqual(runWhole(showZones({ kind: 'list' }, served(), UNTOUCHED)), {
    zones: [{ zone: 'lab.example', kind: 'file', serial: 7, names: 3, records: 5 }],
  });
});

test('a zone is shown whole, as it was read', () => {
  const { content } = runWhole(showZones({ kind: 'dump', zone: 'Lab.Example' }, served(), UNTOUCHED));
  assert.ok(content);
  const { records = [] } = readMasterFile('lab.example', '/z', () => TEXT);
  assert.deepEqual([...formatZone(recordsOf(content))].toSorted(), [...formatZone(records)].toSorted());
  assert.equal(content.types[0], 6);
});

test('a zone that is not there is not shown', () => {
  assert.deepEqual(runWhole(showZones({ kind: 'dump', zone: 'nowhere' }, served(), UNTOUCHED)), { zones: [] });
});

describe('what updates did to a zone', () => {
  test('is shown beside what its file says, with what of it the file came to leave no place for', (t) => {
    const made = updatable(t, 'a A 192.0.2.1');
    assert.deepEqual(linesOf(show(made, 'updates')), { added: [], deleted: [], overruled: [] });
    made.askUdp(updateMessage(['add new A 192.0.2.7', 'add x CNAME a', 'del a A']));
    made.zones.learnZones([fileOf('a A 192.0.2.1', 'x A 192.0.2.2')], []);
    assert.deepEqual(linesOf(show(made, 'updates')), {
      added: ['new.rack.example. 300 IN A 192.0.2.7', 'x.rack.example. 300 IN CNAME a.'],
      deleted: ['a.rack.example. 60 IN A 192.0.2.1'],
      overruled: ['x.rack.example. 300 IN CNAME a.'],
    });
    const [fact] = show(made, 'list').zones;
    assert.deepEqual([fact?.updated, fact?.overruled], [3, 1]);
    assert.deepEqual(made.events.at(-1), { kind: 'zone.overruled', zone: 'rack.example', records: 1 });
  });

  test('is undone on disk and in the zone, whose serial rises', (t) => {
    const made = updatable(t, 'a A 192.0.2.1');
    made.askUdp(updateMessage(['add new A 192.0.2.7', 'del a A']));
    const before = made.serial('rack.example');
    assert.equal(linesOf(show(made, 'forget-updates'))?.added.length, 1);
    made.time.pass(1);
    const { content } = show(made, 'dump');
    const left = content ? [...formatZone(recordsOf(content))] : [];
    assert.ok(left.includes('a.rack.example. 60 IN A 192.0.2.1'));
    assert.ok(!left.some((line) => line.startsWith('new.')));
    assert.ok(made.serial('rack.example') > before);
    assert.deepEqual(linesOf(show(made, 'updates')), { added: [], deleted: [], overruled: [] });
  });

  test('stays when the disk does not take that it is undone', (t) => {
    const made = updatable(t, 'a A 192.0.2.1');
    made.askUdp(updateMessage(['add new A 192.0.2.7']));
    t.mock.method(made.authority, 'forgetUpdates', () => {
      throw new Error('disk full');
    });
    assert.deepEqual(show(made, 'forget-updates'), { zones: [], fault: 'disk full' });
    assert.equal(linesOf(show(made, 'updates'))?.added.length, 1);
  });

  test('is nothing where a zone takes none', (t) => {
    const made = updatable(t);
    assert.deepEqual(runWhole(showZones({ kind: 'updates', zone: 'nowhere' }, made.zones, made.authority)), {
      zones: [],
    });
  });
});

function fileOf(...text: string[]): ZoneColumns {
  const whole = `$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\n${text.join('\n')}\n`;
  const { origin, records = [] } = readMasterFile('rack.example', '/z', () => whole);
  return toColumns(origin, records);
}

/** A primary of rack.example alone, which takes updates of everybody. */
function updatable(t: TestContext, ...text: string[]): Primary {
  const plan = planOf({ subnets: [] });
  const update = [{ cidr: { network: 0 as Ip4, prefix: 0 } }];
  const zones = [{ name: 'rack.example', file: '/z', update, transfer: [], notify: [] }];
  const made = new Primary({ ...plan, dns: { ...plan.dns, zones } });
  t.after(() => made.close());
  made.zones.learnZones([fileOf(...text)], []);
  return made;
}

function show({ zones, authority }: Primary, kind: 'list' | 'dump' | 'updates' | 'forget-updates'): ZoneAnswer {
  const order = kind === 'list' ? { kind } : { kind, zone: 'rack.example' };
  return runWhole(showZones(order, zones, authority));
}

function lines(columns: ZoneColumns): string[] {
  return [...formatZone(recordsOf(columns))];
}

function linesOf({ updates }: ZoneAnswer) {
  if (!updates) return undefined;
  return { added: lines(updates.added), deleted: lines(updates.deleted), overruled: lines(updates.overruled) };
}
