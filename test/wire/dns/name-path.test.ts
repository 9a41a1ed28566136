import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { hashKey, hashWildcard, NamePath } from '../../../src/wire/dns/name-path.ts';
import { nameKey, readName } from '../../../src/wire/dns/name.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';
import { fuzz } from '../fuzz.ts';

describe('a name taken apart', () => {
  test('has its labels, its parents and their hashes, in lower case', () => {
    const path = new NamePath();
    const bytes = parseHex('ff 05 4e6f646531 04 5261636b 00 ff');
    assert.equal(path.read(bytes, 1), 13);
    assert.deepEqual([path.labels, path.length], [2, 12]);
    assert.deepEqual([path.key(), path.key(1), path.key(2)], ['node1.rack', 'rack', '.'].map(nameKey));
    for (const [label, name] of ['node1.rack', 'rack', '.'].entries()) {
      assert.equal(path.hash(label), hashKey(nameKey(name)));
      assert.ok(path.equals(nameKey(name), label));
      assert.ok(!path.equals(nameKey('rock'), label));
    }
    assert.equal(hashWildcard(path.hash(1)), hashKey(nameKey('*.rack')));
  });

  test('is the same by key as by bytes, whatever was read before', () => {
    const [byKey, byBytes] = [new NamePath(), new NamePath()];
    const labels = fc.array(fc.stringMatching(/^[a-z0-9*]{1,63}$/), { maxLength: 4 });
    fc.assert(
      fc.property(labels, (path) => {
        const key = nameKey(path.join('.'));
        byKey.readKey(key);
        assert.equal(byBytes.read(Buffer.from(key, 'latin1'), 0), key.length);
        for (let label = 0; label <= path.length; label++) {
          assert.equal(byKey.key(label), byBytes.key(label));
          assert.equal(byKey.hash(label), byBytes.hash(label));
        }
        assert.deepEqual([byKey.labels, byKey.length], [path.length, key.length]);
      }),
    );
  });

  test('of any bytes is what readName makes of them', () => {
    const path = new NamePath();
    fuzz({
      seeds: [parseHex('01 61 02 4142 00'), parseHex('00'), Buffer.from(`${'\u0001x'.repeat(127)}\0`, 'latin1')],
      run: (bytes) => {
        const expected = attempt(() => readName(bytes, 0));
        assert.equal(
          attempt(() => path.read(bytes, 0)),
          expected?.end,
        );
        if (expected) assert.equal(path.key(), expected.key);
      },
    });
  });
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
