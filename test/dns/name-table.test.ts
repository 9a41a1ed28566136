import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { NameTable, type Named } from '../../src/dns/name-table.ts';
import { hashKey, NamePath } from '../../src/wire/dns/name-path.ts';
import { nameKey, type NameKey } from '../../src/wire/dns/name.ts';

interface Entry extends Named<Entry> {}

const entryOf = (key: NameKey): Entry => ({ key, hash: hashKey(key), next: undefined, index: 0 });

test('a table of names holds what a Map would', () => {
  const name = fc.stringMatching(/^[abc*](\.[ab]){0,3}$/).map(nameKey);
  const step = fc.record({ name, put: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [table, map, path] = [new NameTable<Entry>(), new Map<NameKey, Entry>(), new NamePath()];
      for (const { name: key, put } of steps) {
        const known = map.get(key);
        if (put && !known) {
          const entry = entryOf(key);
          table.add(entry);
          map.set(key, entry);
        } else if (!put && known) {
          table.delete(known);
          map.delete(key);
        }
      }
      for (const { name: key } of steps) {
        path.readKey(key);
        assert.equal(table.get(key), map.get(key));
        assert.equal(table.find(path, 0), map.get(key));
        const parent = map.get(key);
        if (parent) assert.equal(table.findWildcard(parent), map.get(`\u0001*${key}` as NameKey));
      }
      assert.deepEqual(new Set(table.all()), new Set(map.values()));
      assert.equal(table.size, map.size);
    }),
  );
});
