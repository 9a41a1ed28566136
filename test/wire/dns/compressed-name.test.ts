import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { array, assert as check, constantFrom, integer, oneof, property } from 'fast-check';

import { expandName, type ExpandedName, type NameEnds } from '../../../src/wire/dns/compressed-name.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

/** The name at `at`, or why there is none. */
function read(bytes: Uint8Array, at: number, ends?: NameEnds): ExpandedName | string {
  try {
    return expandName(bytes, at, ends);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

describe('a compressed name', () => {
  test('is the same whether its end was read before or not, whatever the bytes', () => {
    const octet = oneof(
      { weight: 4, arbitrary: constantFrom(0, 1, 2, 40, 63, 0xc0) },
      { weight: 1, arbitrary: integer({ min: 0, max: 255 }) },
    );
    check(
      property(array(octet, { maxLength: 300 }), (octets) => {
        const bytes = Uint8Array.from(octets);
        const ends: NameEnds = new Map();
        for (let at = 0; at < bytes.length; at++) assert.deepEqual(read(bytes, at, ends), read(bytes, at));
      }),
      { numRuns: 500 },
    );
  });

  test('of many labels is followed once, however many point at it', () => {
    const long = Buffer.concat([Buffer.alloc(240, '\x01a', 'latin1'), Buffer.from([0])]);
    const bytes = Buffer.concat([long, ...Array.from({ length: 4000 }, () => Buffer.from([0xc0, 0]))]);
    const ends: NameEnds = new Map();
    const names = Array.from({ length: 4000 }, (_, i) => expandName(bytes, long.length + 2 * i, ends).name);
    assert.deepEqual(new Set(names), new Set([long.toString('latin1')]));
    assert.deepEqual([...ends.keys()], [0]);
    ends.set(0, '\x01b\0');
    assert.equal(expandName(bytes, long.length, ends).name, '\x01b\0');
  });

  test('is at the end of a chain of thousands of pointers, which is followed once', () => {
    const chain = Buffer.alloc(16_384);
    for (let at = 2; at < chain.length; at += 2) chain.writeUInt16BE(0xc000 | (at - 2), at);
    const ends: NameEnds = new Map();
    for (let at = chain.length - 2; at > 0; at -= 2)
      assert.deepEqual(expandName(chain, at, ends), { name: '\0', end: at + 2 });
    assert.equal(ends.size, chain.length / 2 - 1);
  });

  test('is not longer than 255 octets by an end that was read before', () => {
    const long = Buffer.concat([Buffer.alloc(254, '\x01a', 'latin1'), Buffer.from([0])]);
    const bytes = Buffer.concat([long, Buffer.from([0xc0, 0, 1, 0x62, 0xc0, 0])]);
    const ends: NameEnds = new Map();
    assert.equal(expandName(bytes, 255, ends).name.length, 255);
    assert.equal(read(bytes, 257, ends), 'a name longer than 255 octets');
  });
});
