import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { Zone } from '../../src/dns/zone.ts';
import { keyText, nameKey } from '../../src/wire/dns/name.ts';
import { compileRecords, type RecordSet } from '../../src/wire/dns/record-set.ts';
import { TYPE } from '../../src/wire/dns/record-type.ts';

const TIMES = { refresh: 1, retry: 2, expire: 3, minimum: 10 };
const ADDRESS = compileRecords(60, { type: 'A', data: '192.0.2.1' });
const ALIAS = compileRecords(60, { type: 'CNAME', data: 'x' });

function zone(): Zone {
  return new Zone(nameKey('a.example'), { primary: 'ns.a.example', mailbox: 'h.a.example', ttl: 60, times: TIMES });
}

function typesAt(from: Zone, name: string): number[] | undefined {
  return from.find(nameKey(name))?.map(({ type }) => type);
}

function ttl(set: RecordSet): number {
  return Buffer.from(set.wire, 'latin1').readUInt32BE(6);
}

function serial(soa: RecordSet): number {
  return Buffer.from(soa.wire, 'latin1').readUInt32BE(soa.wire.length - 20);
}

describe('a zone', () => {
  test('has an SOA at its origin and nothing else', () => {
    assert.deepEqual(typesAt(zone(), 'a.example'), [TYPE.SOA]);
    assert.equal(typesAt(zone(), 'b.a.example'), undefined);
  });

  test('answers "no" with the lesser of SOA TTL and MINIMUM', () => assert.equal(ttl(zone().negative), 10));

  test('keeps one set per type', () => {
    const z = zone();
    z.put(nameKey('b.a.example'), ADDRESS);
    z.put(nameKey('b.a.example'), ALIAS);
    z.put(nameKey('b.a.example'), ADDRESS);
    assert.deepEqual(typesAt(z, 'b.a.example'), [TYPE.CNAME, TYPE.A]);
  });

  test('has the names between a name and the origin', () => {
    const z = zone();
    z.put(nameKey('d.c.b.a.example'), ADDRESS);
    assert.deepEqual([typesAt(z, 'b.a.example'), typesAt(z, 'c.b.a.example')], [[], []]);
  });

  test('loses them with the last name below', () => {
    const z = zone();
    z.put(nameKey('d.c.b.a.example'), ADDRESS);
    z.put(nameKey('e.b.a.example'), ADDRESS);
    z.remove(nameKey('d.c.b.a.example'), TYPE.A);
    assert.deepEqual([...z.names()].map(([key]) => keyText(key)).toSorted(), [
      'a.example',
      'b.a.example',
      'e.b.a.example',
    ]);
  });

  test('keeps a name that has names below it', () => {
    const z = zone();
    z.put(nameKey('b.a.example'), ADDRESS);
    z.put(nameKey('c.b.a.example'), ADDRESS);
    z.remove(nameKey('b.a.example'), TYPE.A);
    assert.deepEqual(typesAt(z, 'b.a.example'), []);
  });

  test('keeps its SOA', () => {
    const z = zone();
    z.remove(nameKey('a.example'), TYPE.SOA);
    assert.deepEqual(typesAt(z, 'a.example'), [TYPE.SOA]);
  });

  test('takes no name from outside', () => assert.throws(() => zone().put(nameKey('b.example'), ADDRESS), RangeError));
});

describe('the serial', () => {
  test('is stamped into both SOAs, once for all changes since', () => {
    const z = zone();
    z.put(nameKey('b.a.example'), ADDRESS);
    z.put(nameKey('c.a.example'), ADDRESS);
    z.publish(() => 77);
    assert.equal(z.serial, 77);
    assert.deepEqual(
      [z.find(z.origin)?.[0], z.negative].map((set) => set && serial(set)),
      [77, 77],
    );
  });

  test('stays when nothing changed', () => {
    const z = zone();
    z.publish(() => 77);
    z.remove(nameKey('b.a.example'), TYPE.A);
    z.publish(() => 78);
    assert.equal(z.serial, 77);
  });
});

describe('after any puts and removals', () => {
  test('a name exists if and only if it or a name below it has records', () => {
    const labels = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 });
    const step = fc.record({ labels, put: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const z = zone();
        const owners = new Set<string>();
        for (const { labels: path, put } of steps) {
          const name = [...path, 'a.example'].join('.');
          if (put) z.put(nameKey(name), ADDRESS);
          else z.remove(nameKey(name), TYPE.A);
          if (put) owners.add(name);
          else owners.delete(name);
        }
        const expected = new Set(['a.example', ...[...owners].flatMap(withAncestors)]);
        assert.deepEqual(new Set([...z.names()].map(([key]) => keyText(key))), expected);
      }),
    );
  });
});

function withAncestors(name: string): string[] {
  const labels = name.split('.').slice(0, -2);
  return labels.map((_, index) => [...labels.slice(index), 'a.example'].join('.'));
}
