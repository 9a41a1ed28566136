import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { runSlices, runWhole } from '../../src/dns/slices.ts';
import { buildZone, compareZones } from '../../src/dns/zone-builder.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { compileRecords, recordsOf } from '../../src/wire/dns/record-set.ts';
import { TYPE } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { soaOf } from './soa-of.ts';

const ORIGIN = nameKey('a.example');
const TIMES = { refresh: 1, retry: 2, expire: 3, minimum: 10 };
const SOA = recordsOf(ORIGIN, soaOf('ns.a.example', 60, TIMES));

function address(name: string, last: number): ResourceRecord {
  return { owner: nameKey(name), type: TYPE.A, ttl: 60, data: String.fromCharCode(192, 0, 2, last) };
}

const build = (...records: ResourceRecord[]) => runWhole(buildZone(ORIGIN, [...records, ...SOA], 'file'));

describe('a zone of records', () => {
  test('has them in sets, in whatever order they came', () => {
    const zone = build(address('b.a.example', 1), address('c.a.example', 2), address('b.a.example', 3));
    assert.deepEqual(zone.find(nameKey('b.a.example')), [
      compileRecords(60, { type: 'A', data: '192.0.2.1' }, { type: 'A', data: '192.0.2.3' }),
    ]);
    assert.equal(zone.kind, 'file');
  });

  test('needs its SOA', () => assert.throws(() => runWhole(buildZone(ORIGIN, [], 'file')), RangeError));
});

describe('how two zones differ', () => {
  test('is told record by record, SOAs aside', () => {
    const before = build(address('b.a.example', 1), address('b.a.example', 2), address('c.a.example', 2));
    const after = build(address('b.a.example', 1), address('d.a.example', 2));
    after.put(ORIGIN, soaOf('x.a.example', 60, TIMES));
    assert.deepEqual(runWhole(compareZones(before, after)), {
      removed: [address('b.a.example', 2), address('c.a.example', 2)],
      added: [address('d.a.example', 2)],
    });
  });

  test('is what it is at the end, if they change meanwhile', () => {
    const names = Array.from({ length: 1000 }, (_, i) => address(`n${i}.a.example`, 1));
    const [before, after] = [build(...names), build(...names)];
    const work = compareZones(before, after);
    for (let i = 0; i < 10; i++) assert.equal(work.next().done, false);
    before.remove(nameKey('n1.a.example'), TYPE.A);
    after.put(nameKey('n2.a.example'), compileRecords(60, { type: 'A', data: '192.0.2.9' }));
    after.put(nameKey('new.a.example'), compileRecords(60, { type: 'A', data: '192.0.2.9' }));
    const { removed, added } = runWhole(work);
    assert.deepEqual(removed, [address('n2.a.example', 1)]);
    assert.deepEqual(added, [address('n1.a.example', 1), address('n2.a.example', 9), address('new.a.example', 9)]);
  });
});

describe('long work', () => {
  test('lets the loop come round every few milliseconds, and can be given up', () => {
    let now = 0;
    const waiting: (() => void)[] = [];
    const loop = {
      watch: () => assert.fail('nothing is watched'),
      after: (_: number, fire: () => void) => {
        waiting.push(fire);
        return { cancel: () => void waiting.splice(waiting.indexOf(fire), 1) };
      },
    };
    const clock = { now: () => 0, monotonic: () => now++ };
    const results: number[] = [];
    runSlices({ loop, clock }, steps(1), (result) => results.push(result));
    assert.deepEqual([results, waiting.length], [[1], 0], 'short work is done at once');
    runSlices({ loop, clock }, steps(8), (result) => results.push(result));
    for (let fire = waiting.shift(); fire; fire = waiting.shift()) fire();
    assert.deepEqual(results, [1, 8]);
    const giveUp = runSlices({ loop, clock }, steps(100), (result) => results.push(result));
    giveUp();
    assert.deepEqual([waiting.length, results], [0, [1, 8]]);
  });
});

function* steps(count: number): Generator<undefined, number, undefined> {
  for (let i = 0; i < count; i++) yield;
  return count;
}
