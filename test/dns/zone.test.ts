import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { Zone } from '../../src/dns/zone.ts';
import { keyText, nameKey } from '../../src/wire/dns/name.ts';
import { compileRecords, type RecordSet } from '../../src/wire/dns/record-set.ts';
import { TYPE, typeName } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { soaOf } from './soa-of.ts';

const TIMES = { refresh: 1, retry: 2, expire: 3, minimum: 10 };
const ADDRESS = compileRecords(60, { type: 'A', data: '192.0.2.1' });
const ALIAS = compileRecords(60, { type: 'CNAME', data: 'x' });

function zone(): Zone {
  return new Zone(nameKey('a.example'), soaOf('ns.a.example', 60, TIMES));
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
    assert.deepEqual(typesAt(z, 'b.a.example'), [TYPE.A, TYPE.CNAME]);
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

describe('what a publish tells', () => {
  const [B, C] = [nameKey('b.a.example'), nameKey('c.a.example')];
  const OTHER = compileRecords(60, { type: 'A', data: '192.0.2.2' }, { type: 'A', data: '192.0.2.1' });

  test('is nothing the first time, and nothing when nothing changed', () => {
    const z = zone();
    z.put(B, ADDRESS);
    assert.deepEqual([z.publish(() => 1), z.publish(() => 2)], [undefined, undefined]);
  });

  test('is nothing when what changed is as it was again', () => {
    const z = zone();
    z.put(B, ADDRESS);
    z.publish(() => 1);
    z.remove(B, TYPE.A);
    z.put(B, ADDRESS);
    assert.equal(
      z.publish(() => 2),
      undefined,
    );
    assert.equal(z.serial, 1);
  });

  test('is the records that came and went, between both SOAs', () => {
    const z = zone();
    z.put(B, ADDRESS);
    z.put(C, ALIAS);
    z.publish(() => 1);
    z.put(B, OTHER);
    z.remove(C, TYPE.CNAME);
    z.put(C, ADDRESS);
    const change = z.publish((old) => old + 1);
    assert.deepEqual(
      [change?.removed.map(describeRecord), change?.added.map(describeRecord)],
      [['c.a.example CNAME'], ['b.a.example A', 'c.a.example A']],
    );
    assert.deepEqual(
      [change?.from, change?.to].map((soa) => soa && serialIn(soa.data)),
      [1, 2],
    );
  });

  test('is another SOA too', () => {
    const z = zone();
    z.publish(() => 1);
    z.put(z.origin, soaOf('other.a.example', 60, TIMES));
    const change = z.publish(() => 2);
    assert.deepEqual([change?.removed, change?.added, z.serial], [[], [], 2]);
  });
});

describe('a snapshot', () => {
  test('begins with the SOA, has every name with records, and stays', () => {
    const z = zone();
    z.put(nameKey('d.c.a.example'), ADDRESS);
    const taken = [...z.snapshot()];
    z.put(nameKey('d.c.a.example'), ALIAS);
    z.put(nameKey('e.a.example'), ADDRESS);
    assert.deepEqual(
      taken.map(([key, sets]) => [keyText(key), sets.map(({ type }) => type)]),
      [
        ['a.example', [TYPE.SOA]],
        ['d.c.a.example', [TYPE.A]],
      ],
    );
  });
});

function describeRecord({ owner, type }: ResourceRecord): string {
  return `${keyText(owner)} ${typeName(type)}`;
}

function serialIn(data: string): number {
  return Buffer.from(data, 'latin1').readUInt32BE(data.length - 20);
}

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
