import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { condense, isLater, recordText, serialOf, type ZoneChange } from '../../src/zones/zone-change.ts';
import { nextSerial, ZoneHistory } from '../../src/zones/zone-history.ts';
import { change, record, soa } from './records.ts';

const LARGE = Number.MAX_SAFE_INTEGER;

function describeChange(found: ZoneChange | undefined): string | undefined {
  if (!found) return undefined;
  return `${serialOf(found.from)}-${serialOf(found.to)} -${found.removed.length} +${found.added.length}`;
}

test('the way from any serial that is known is told as one change', () => {
  const history = new ZoneHistory();
  history.add(change(1, 2, '+a A 192.0.2.1'), LARGE);
  history.add(change(2, 3, '+b A 192.0.2.2'), LARGE);
  history.add(change(3, 5, '-a A 192.0.2.1', '+c A 192.0.2.3'), LARGE);
  const told = [1, 2, 3, 4, 5, 0].map((serial) => describeChange(history.since(serial)));
  assert.deepEqual(told, ['1-5 -0 +2', '2-5 -1 +2', '3-5 -1 +1', undefined, undefined, undefined]);
});

test('what came and went again is in no change', () => {
  const history = new ZoneHistory();
  history.add(change(1, 2, '+a A 192.0.2.1'), LARGE);
  history.add(change(2, 3, '-a A 192.0.2.1'), LARGE);
  assert.equal(describeChange(history.since(1)), '1-3 -0 +0');
});

test('a change of TTL is one record that goes and one that comes', () => {
  const [old, now] = [record('a A 192.0.2.1', 300), record('a A 192.0.2.1', 30)];
  const first: ZoneChange = { ...change(1, 2), removed: [old], added: [now] };
  assert.equal(describeChange(condense(first, change(2, 3))), '1-3 -1 +1');
});

test('condensed changes do what the changes did', () => {
  const steps = fc.array(fc.array(fc.nat(7), { maxLength: 6 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(steps, (toggles) => {
      const content = new Set<string>();
      const before = new Set(content);
      const changes = toggles.map((names, index) => {
        const lines = [...new Set(names)].map((name) => `${name} A 192.0.2.${name}`);
        const signed = lines.map((line) => (content.has(line) ? '-' : '+') + line);
        for (const line of lines) if (!content.delete(line)) content.add(line);
        return change(index, index + 1, ...signed);
      });
      const [first, ...rest] = changes;
      assert.ok(first);
      const { removed, added } = condense(first, ...rest);
      const result = new Set([...before].map((line) => recordText(record(line))));
      for (const gone of removed) assert.ok(result.delete(recordText(gone)));
      for (const come of added) assert.ok(!result.has(recordText(come)) && result.add(recordText(come)));
      assert.deepEqual(result, new Set([...content].map((line) => recordText(record(line)))));
    }),
  );
});

test('no more changes are kept than are allowed, nor more octets, nor more than the zone is worth', () => {
  const few = new ZoneHistory({ changes: 3, bytes: LARGE });
  const small = new ZoneHistory({ changes: 1000, bytes: 2000 });
  const worth = new ZoneHistory({ changes: 1000, bytes: LARGE });
  for (let serial = 1; serial <= 300; serial++) {
    few.add(change(serial, serial + 1, `+n${serial} A 192.0.2.1`), LARGE);
    small.add(change(serial, serial + 1, `+n${serial} A 192.0.2.1`), LARGE);
    worth.add(change(serial, serial + 1, `+n${serial} A 192.0.2.1`), 100);
  }
  assert.equal(few.changes.length, 3);
  assert.ok(small.bytes <= 2000 && small.changes.length > 5);
  assert.ok(worth.bytes <= 16_384 && worth.changes.length > 50, `${worth.bytes} octets`);
  assert.equal(describeChange(few.since(298)), '298-301 -0 +3');
  assert.equal(few.since(297), undefined);
});

test('a change larger than all that may be kept is not kept, nor what was before it', () => {
  const history = new ZoneHistory({ changes: 10, bytes: 200 });
  history.add(change(1, 2, '+a A 192.0.2.1'), LARGE);
  history.add(change(2, 3, ...Array.from({ length: 20 }, (_, n) => `+n${n} A 192.0.2.1`)), LARGE);
  assert.deepEqual([history.changes.length, history.bytes], [0, 0]);
});

test('what does not go on from the last change begins a new history', () => {
  const history = new ZoneHistory();
  history.add(change(1, 2, '+a A 192.0.2.1'), LARGE);
  history.add(change(7, 8, '+b A 192.0.2.1'), LARGE);
  assert.deepEqual([history.since(1), describeChange(history.since(7))], [undefined, '7-8 -0 +1']);
});

const later: [a: number, b: number, is: boolean][] = [
  [2, 1, true],
  [1, 2, false],
  [1, 1, false],
  [0, 0xffff_ffff, true],
  [0x7fff_ffff, 0, true],
  [0x8000_0000, 0, false],
];
for (const [a, b, is] of later) {
  test(`serial ${a} is ${is ? '' : 'not '}later than ${b}`, () => assert.equal(isLater(a, b), is));
}

const next: [last: number, wanted: number | undefined, serial: number][] = [
  [5, undefined, 6],
  [5, 9, 9],
  [5, 5, 6],
  [5, 3, 6],
  [0xffff_ffff, undefined, 0],
  [0xffff_fff0, 3, 3],
];
for (const [last, wanted, serial] of next) {
  test(`behind ${last}, where the file says ${wanted ?? 'nothing'}, comes ${serial}`, () => {
    assert.equal(nextSerial(last, wanted), serial);
  });
}

test('a serial is read out of its SOA', () => assert.equal(serialOf(soa(0xfedc_ba98)), 0xfedc_ba98));
