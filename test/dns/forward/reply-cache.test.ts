import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { array, assert as check, boolean, integer, nat, property, record } from 'fast-check';

import { ReplyCache, slotOf } from '../../../src/dns/forward/reply-cache.ts';
import type { CompiledReply } from '../../../src/dns/forward/reply-compiler.ts';
import type { NameKey } from '../../../src/wire/dns/name.ts';

const A = slotOf(1, false, false);

function keyOf(name: string): NameKey {
  // As it comes from the wire: flat, and nobody else's
  return Buffer.from(`${String.fromCharCode(name.length)}${name}\x07example\0`, 'latin1').toString('latin1') as NameKey;
}

function replyOf(length = 40, ttl = 300): CompiledReply {
  const wire = Buffer.alloc(length, 0x41).toString('latin1');
  return { rcode: 0, answers: 1, authorities: 0, wire, ttlOffsets: '\x06', authentic: false, ttl };
}

describe('the cache', () => {
  test('tells types and bits of one name apart', () => {
    const cache = new ReplyCache(1e6);
    const slots = [slotOf(1, false, false), slotOf(1, true, false), slotOf(1, false, true), slotOf(28, false, false)];
    for (const [i, slot] of slots.entries()) cache.put(keyOf('a'), slot, replyOf(40 + i), 0);
    assert.deepEqual(
      slots.map((slot) => cache.get(keyOf('a'), slot)?.reply.wire.length),
      [40, 41, 42, 43],
    );
    assert.equal(cache.levels.entries, 4);
  });

  test('does as a map does, as long as there is room', () => {
    const step = record({
      name: nat(5),
      slot: nat(3),
      put: boolean(),
      length: integer({ min: 1, max: 9 }),
    });
    check(
      property(array(step, { maxLength: 60 }), (steps) => {
        const cache = new ReplyCache(1e6);
        const model = new Map<string, number>();
        for (const { name, slot, put, length } of steps) {
          const [key, id] = [keyOf(`n${name}`), `${name} ${slot}`];
          const entry = cache.get(key, slot);
          assert.equal(entry?.reply.wire.length, model.get(id));
          if (put) {
            cache.put(key, slot, replyOf(length), 0);
            model.set(id, length);
          } else if (entry) {
            cache.remove(entry);
            model.delete(id);
          }
        }
        assert.equal(cache.levels.entries, model.size);
      }),
    );
  });

  test('is never larger than it may be, whatever comes', () => {
    const item = record({
      name: nat(200),
      slot: nat(2),
      length: integer({ min: 1, max: 3000 }),
      uses: nat(4),
    });
    check(
      property(array(item, { minLength: 50, maxLength: 400 }), (items) => {
        const cache = new ReplyCache(40_000);
        for (const { name, slot, length, uses } of items) {
          const entry = cache.put(keyOf(`n${name}`), slot, replyOf(length), 0);
          if (entry) for (let i = 0; i < uses; i++) cache.use(entry);
          assert.ok(cache.levels.bytes <= 40_000);
        }
        assert.ok(cache.levels.entries > 0);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps the names that are in use through a flood of names that are asked for once', () => {
    const cache = new ReplyCache(200_000);
    const names = Array.from({ length: 100 }, (_, i) => keyOf(`used${i}`));
    for (const name of names) cache.put(name, A, replyOf(), 0);
    const use = (): void => {
      for (const name of names) {
        const entry = cache.get(name, A);
        if (entry) cache.use(entry);
      }
    };
    for (let i = 0; i < 4; i++) use();
    for (let i = 0; i < 50_000; i++) {
      cache.put(keyOf(`once${i}`), A, replyOf(), 0);
      if (i % 1000 === 0) use();
    }
    assert.equal(names.filter((name) => cache.get(name, A)).length, 100);
  });

  test('does not keep what would push out a good part of all', () => {
    const cache = new ReplyCache(40_000);
    cache.put(keyOf('small'), A, replyOf(), 0);
    assert.equal(cache.put(keyOf('large'), A, replyOf(5000), 0), undefined);
    assert.ok(cache.get(keyOf('small'), A));
    assert.equal(cache.get(keyOf('large'), A), undefined);
  });

  test('keeps 32 types of a name that is asked for by all there are, and of these the ones in use', () => {
    const cache = new ReplyCache(32 * 1024 * 1024);
    cache.put(keyOf('a'), A, replyOf(), 0);
    for (let type = 256; type < 4096; type++) {
      const slot = slotOf(type, false, false);
      cache.put(keyOf('a'), slot, replyOf(), type);
      assert.ok(cache.get(keyOf('a'), slot), 'the new one is not refused');
      const used = cache.get(keyOf('a'), A);
      if (used) cache.use(used);
    }
    assert.equal(cache.levels.entries, 32);
    assert.ok(cache.get(keyOf('a'), A));
    const kept = Array.from({ length: 31 }, (_, i) => slotOf(4095 - i, false, false));
    assert.ok(kept.every((slot) => cache.get(keyOf('a'), slot)));
  });

  test('takes no more memory than it says, with a million names', () => {
    const before = heldMemory();
    const limit = 32 * 1024 * 1024;
    const cache = new ReplyCache(limit);
    for (let i = 0; i < 1_000_000; i++) cache.put(keyOf(`name${i}`), A, replyOf(60), 0);
    const grown = heldMemory() - before;
    assert.ok(cache.levels.entries > 50_000, `${cache.levels.entries} entries`);
    assert.ok(grown < limit, `${grown} bytes held, ${cache.levels.bytes} counted`);
    assert.ok(grown > limit / 2, `${grown} bytes held, ${cache.levels.bytes} counted`);
  });
});

/** Bytes held after a full collection. */
function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
