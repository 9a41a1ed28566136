import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TYPE, typeName } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { ZoneOverlay } from '../../src/zones/zone-overlay.ts';
import { ORIGIN, record, soa } from './records.ts';

const NS = '@ NS ns.rack.example';

function of(lines: readonly string[]): ResourceRecord[] {
  return lines.map((line) => record(line));
}

/** "www A", for each record but the SOA. */
function over(overlay: ZoneOverlay, file: readonly string[]): string[] {
  const records = [...overlay.over([soa(7), ...of(file)])].filter(({ type }) => type !== TYPE.SOA);
  return records.map(({ owner, type }) => `${labelOf(owner)} ${typeName(type)}`).toSorted();
}

function labelOf(owner: string): string {
  return owner === ORIGIN ? '@' : owner.slice(1, 1 + owner.charCodeAt(0));
}

describe('what updates did, where the file came to say', () => {
  const rows: [name: string, added: string[], deleted: string[], file: string[], then: string[]][] = [
    [
      'nothing against it, stands',
      ['new A 192.0.2.7'],
      ['www A 192.0.2.2'],
      [NS, 'www A 192.0.2.2'],
      ['@ NS', 'new A'],
    ],
    [
      'a CNAME beside their data, gives way',
      ['new A 192.0.2.7'],
      [],
      [NS, 'new CNAME www.example'],
      ['@ NS', 'new CNAME'],
    ],
    ['data beside their CNAME, gives way', ['c CNAME www.example'], [], [NS, 'c A 192.0.2.7'], ['@ NS', 'c A']],
    ['another CNAME, gives way', ['c CNAME a.example'], [], [NS, 'c CNAME b.example'], ['@ NS', 'c CNAME']],
    ['the same CNAME, is the same', ['c CNAME a.example'], [], [NS, 'c CNAME a.example'], ['@ NS', 'c CNAME']],
    [
      'a CNAME that they deleted, stands',
      ['c A 192.0.2.7'],
      ['c CNAME a.example'],
      [NS, 'c CNAME a.example'],
      ['@ NS', 'c A'],
    ],
    ['another DNAME, gives way', ['d DNAME a.example'], [], [NS, 'd DNAME b.example'], ['@ NS', 'd DNAME']],
    ['more data of their name, stands beside', ['a A 192.0.2.7'], [], [NS, 'a A 192.0.2.8'], ['@ NS', 'a A', 'a A']],
    ['no server but one they deleted, leaves it', [], [NS], [NS], ['@ NS']],
    ['another server, deletes the one', [], [NS], [NS, '@ NS b.example'], ['@ NS']],
    ['no server but one they deleted for another, deletes it', ['@ NS b.example'], [NS], [NS], ['@ NS']],
    ['a delegation that they deleted, deletes it', [], ['sub NS b.example'], [NS, 'sub NS b.example'], ['@ NS']],
  ];
  for (const [name, added, deleted, file, then] of rows) {
    test(name, () => assert.deepEqual(over(new ZoneOverlay({ added: of(added), deleted: of(deleted) }), file), then));
  }

  test('something against it is told, until it says so no more', () => {
    const overlay = new ZoneOverlay({ added: of(['new A 192.0.2.7']), deleted: of([NS]) });
    over(overlay, [NS, 'new CNAME www.example']);
    assert.deepEqual(
      overlay.overruled.map(({ type }) => typeName(type)),
      ['NS', 'A'],
    );
    assert.deepEqual(over(overlay, ['@ NS b.example']), ['@ NS', 'new A']);
    assert.deepEqual(overlay.overruled, []);
  });

  test('something against it is gone for good where updates add to the name after that', () => {
    const overlay = new ZoneOverlay({ added: of(['new A 192.0.2.7']), deleted: of([NS]) });
    over(overlay, [NS, 'new CNAME a.example']);
    // In the place of the file's CNAME, and a second server
    const change = overlay.plan(of(['new CNAME a.example']), of(['new CNAME b.example', '@ NS b.example']));
    overlay.apply(change);
    assert.deepEqual(over(overlay, [NS, 'new CNAME a.example']), ['@ NS', '@ NS', 'new CNAME']);
    assert.deepEqual(overlay.overruled, []);
  });
});
