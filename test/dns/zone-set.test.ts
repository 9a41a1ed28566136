import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ZoneSet } from '../../src/dns/zone-set.ts';
import { Zone } from '../../src/dns/zone.ts';
import { keyText, nameKey } from '../../src/wire/dns/name.ts';
import { soaOf } from './soa-of.ts';

const SOA = soaOf('ns', 1, { refresh: 1, retry: 1, expire: 1, minimum: 1 });

const zones = new ZoneSet();
for (const origin of ['rack.example', 'sub.rack.example', '2.0.192.in-addr.arpa']) {
  zones.add(new Zone(nameKey(origin), SOA));
}

describe('a name belongs to', () => {
  const rows: [name: string, zone: string | undefined][] = [
    ['rack.example', 'rack.example'],
    ['node1.rack.example', 'rack.example'],
    ['a.b.c.d.e.f.rack.example', 'rack.example'],
    ['sub.rack.example', 'sub.rack.example'],
    ['a.sub.rack.example', 'sub.rack.example'],
    ['1.2.0.192.in-addr.arpa', '2.0.192.in-addr.arpa'],
    ['example', undefined],
    ['.', undefined],
    ['xrack.example', undefined],
    ['in-addr.arpa', undefined],
    ['a.'.repeat(127), undefined],
  ];
  for (const [name, zone] of rows) {
    test(`${name.slice(0, 30)}: ${zone ?? 'no zone'}`, () => {
      const found = zones.find(nameKey(name));
      assert.equal(found && keyText(found.origin), zone);
    });
  }
});

test('no zones hold no names', () => assert.equal(new ZoneSet().find(nameKey('a')), undefined));
